/** Rows of a parquet file. The package that reads it is loaded when one is read. */
import { UsageError } from '../errors.js';
import { describe } from '../options.js';
import type { DatasetFolder } from './dataset.js';

/**
 * Every row of a parquet file as one object, with the columns asked for.
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
  const [{ asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] =
    await Promise.all([import('hyparquet'), import('hyparquet-compressors')]);
  try {
    const buffer = await asyncBufferFromFile(folder.path(file));
    const metadata = await parquetMetadataAsync(buffer);
    const names = parquetSchema(metadata).children.map(({ element }) => element.name);
    for (const column of columns) {
      if (!names.includes(column))
        throw folder.invalid(file, `expected the columns ${columns.join(', ')}, received ${names.join(', ')}.`);
    }
    const wanted = [...columns, ...optional.filter((name) => names.includes(name))];
    // Picture bytes are BYTE_ARRAY without a text type; utf8: false leaves them as bytes.
    const rows = await parquetReadObjects({ file: buffer, metadata, compressors, columns: wanted, utf8: false });
    if (rows.length === 0) throw folder.invalid(file, 'expected rows, received none.');
    return rows;
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const reason = cause instanceof Error ? cause.message : describe(cause);
    throw folder.invalid(file, `expected a whole parquet file, which this is not (${reason}). Fetch it again.`, {
      cause,
    });
  }
}
