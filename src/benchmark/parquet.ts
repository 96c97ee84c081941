/** Rows of a parquet file of a data set. */
import { FileError } from '../errors.js';
import { openTable } from '../tables/index.js';
import type { DatasetFolder } from './dataset.js';

/**
 * Every row of a parquet file as one object, with the columns asked for; what is null is absent.
 *
 * @param columns must be there; `optional` ones are left out where the file lacks them
 * @throws UsageError ERR_DATASET_LAYOUT when the file is missing, ERR_DATASET_INVALID when it is no parquet, lacks a
 * column, or has no rows
 */
export async function readParquet(
  folder: DatasetFolder,
  file: string,
  { columns, optional = [] }: { readonly columns: readonly string[]; readonly optional?: readonly string[] },
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  await folder.require(file);
  try {
    const table = await openTable(folder.path(file), 'parquet');
    try {
      const names = table.columns;
      if (!columns.every((column) => names.includes(column)))
        throw folder.invalid(file, `expected the columns ${columns.join(', ')}, received ${names.join(', ')}.`);
      const rows: Readonly<Record<string, unknown>>[] = [];
      const wanted = [...columns, ...optional.filter((name) => names.includes(name))];
      for await (const { values } of table.rows(wanted)) rows.push(values);
      if (rows.length === 0) throw folder.invalid(file, 'expected rows, received none.');
      return rows;
    } finally {
      await table.close();
    }
  } catch (cause) {
    if (!(cause instanceof FileError) || cause.code !== 'ERR_FILE_INVALID') throw cause;
    const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
    throw folder.invalid(file, `expected a whole parquet file, which this is not (${reason}). Fetch it again.`, {
      cause,
    });
  }
}
