/** A table by the kind of its file. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { FileError } from '../errors.js';
import { describePath } from '../options.js';
import { checkRegular } from '../regular-file.js';
import { ArrowTable } from './arrow-table.js';
import { datasetFiles } from './dataset-folder.js';
import { JoinedTable } from './joined-table.js';
import { ParquetTable } from './parquet-table.js';
import { SeparatedTable } from './separated-table.js';
import type { Table } from './table.js';

/** Kinds of tables; `folder` is a data set of several files. */
export type TableKind = 'csv' | 'tsv' | 'parquet' | 'arrow' | 'folder';

const KINDS: Readonly<Record<string, TableKind>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.parquet': 'parquet',
  '.arrow': 'arrow',
};

/** Between fields; null: as the header has it. */
const SEPARATORS = { csv: null, tsv: '\t' } as const;

const READ_BYTES = 2 ** 16;

/** What a path is by its name, or by being a folder; null for what is no table, and for what is not there. */
export async function tableKindOf(path: string): Promise<TableKind | null> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() === true ? 'folder' : (KINDS[extname(path).toLowerCase()] ?? null);
}

/**
 * Opens a table to be read once; whoever opens it closes it.
 *
 * @param split of a folder; null: its only one
 * @throws FileError ERR_FILE_READ, ERR_FILE_INVALID; UsageError ERR_INVALID_OPTION for the split
 */
export async function openTable(path: string, kind: TableKind, split: string | null = null): Promise<Table> {
  if (kind === 'parquet') return await ParquetTable.open(path);
  if (kind === 'arrow') return await ArrowTable.open(path);
  if (kind !== 'folder') return await openSeparated(path, kind);
  const { kind: inner, paths } = await datasetFiles(path, split);
  return await JoinedTable.open(paths, async (file) => await openTable(file, inner));
}

async function openSeparated(path: string, kind: 'csv' | 'tsv'): Promise<Table> {
  const what = describePath(path);
  try {
    await checkRegular(path);
    const stream = createReadStream(path, { highWaterMark: READ_BYTES });
    return await separatedTable(stream, kind, what, async () => void stream.destroy());
  } catch (cause) {
    if (cause instanceof FileError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new FileError('ERR_FILE_READ', `Expected to read ${what}, but it failed: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

/**
 * A table in text from a stream, such as stdin.
 *
 * @param what a message calls it
 * @param close lets go of the stream
 * @throws FileError ERR_FILE_INVALID; what the stream throws
 */
export async function separatedTable(
  source: AsyncIterable<Uint8Array>,
  kind: 'csv' | 'tsv',
  what: string,
  close: () => Promise<void>,
): Promise<Table> {
  return await SeparatedTable.open(source, { what, separator: SEPARATORS[kind], close });
}
