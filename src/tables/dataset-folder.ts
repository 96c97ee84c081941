/**
 * A folder that Hugging Face's datasets wrote: of `save_to_disk` (Arrow files, whose order state.json tells), or of parquet
 * files named after their split, as they lie on its hub and as `to_parquet` writes them.
 */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { FileError, UsageError } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import { describe, describePath } from '../options.js';
import { exists, readRegularText } from '../regular-file.js';

/** Of `save_to_disk`: the splits, each a folder of its name; and the files of one. */
const SPLITS_FILE = 'dataset_dict.json';
const STATE_FILE = 'state.json';

/** Entries of a folder that a message names. */
const SHOWN_ENTRIES = 8;

/** The files of one split, in their order; all of one kind. */
export interface DatasetFiles {
  readonly kind: 'arrow' | 'parquet';
  /** Absolute, or from where the folder's path starts. */
  readonly paths: readonly string[];
}

/**
 * The files of a split.
 *
 * @param split null where nobody named one: then there must be one alone
 * @throws UsageError ERR_INVALID_OPTION for a split that is not there, or that has to be named; FileError ERR_FILE_READ,
 * ERR_FILE_INVALID for a folder that holds no data set
 */
export async function datasetFiles(folder: string, split: string | null): Promise<DatasetFiles> {
  const splits = await savedSplits(folder);
  if (splits !== null) return await savedFiles(join(folder, chosen(folder, splits, split)));
  if (await exists(join(folder, STATE_FILE))) {
    const state = await jsonOf(join(folder, STATE_FILE));
    const own = typeof state['_split'] === 'string' ? [state['_split']] : [];
    if (split !== null && !own.includes(split)) chosen(folder, own, split);
    return await savedFiles(folder);
  }
  const found = await parquetSplits(folder);
  if (found.size === 0) throw await noDataset(folder);
  const paths = found.get(chosen(folder, [...found.keys()], split)) ?? [];
  checkWhole(folder, paths);
  return { kind: 'parquet', paths: paths.map((path) => join(folder, path)) };
}

/** Null where the folder is none of several splits. */
async function savedSplits(folder: string): Promise<readonly string[] | null> {
  const path = join(folder, SPLITS_FILE);
  if (!(await exists(path))) return null;
  const { splits } = await jsonOf(path);
  if (Array.isArray(splits) && splits.every((name) => typeof name === 'string' && isName(name))) return splits;
  throw new FileError(
    'ERR_FILE_INVALID',
    `${describePath(path)}: expected { splits } with names, received something else.`,
  );
}

/** Of one split that `save_to_disk` wrote. */
async function savedFiles(folder: string): Promise<DatasetFiles> {
  const path = join(folder, STATE_FILE);
  const { _data_files: files } = await jsonOf(path);
  const names = Array.isArray(files) ? files.map((file) => (isRecord(file) ? file['filename'] : undefined)) : [];
  if (names.length > 0 && names.every((name) => typeof name === 'string' && isName(name)))
    return { kind: 'arrow', paths: names.map((name) => join(folder, String(name))) };
  throw new FileError(
    'ERR_FILE_INVALID',
    `${describePath(path)}: expected _data_files with the name of each file, received something else. Save the data set again.`,
  );
}

/** Below the folder that names it, and nowhere else. */
const isName = (name: string) => name !== '' && basename(name) === name && name !== '..' && name !== '.';

/** By the name of the split, with the folder before it where there are several; paths relative to the folder, in order. */
async function parquetSplits(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const entries = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new FileError(
      'ERR_FILE_READ',
      `Expected to read the folder ${describePath(folder)}: ${(cause as Error).message}.`,
      { cause },
    );
  });
  const files = entries
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.parquet') && !path.split('/').some((name) => name.startsWith('.')))
    .sort(new Intl.Collator('en', { numeric: true }).compare);
  const places = files.map((path) => ({ path, ...placeOf(path) }));
  const isOne = new Set(places.map(({ config }) => config)).size === 1;
  const found = new Map<string, string[]>();
  for (const { path, config, split } of places) {
    const name = isOne ? split : posix.join(config, split);
    const same = found.get(name) ?? [];
    found.set(name, same);
    same.push(path);
  }
  return found;
}

/** `data/train-00000-of-00002.parquet` and `default/train/0000.parquet` are of the split `train`. */
function placeOf(path: string): { readonly config: string; readonly split: string } {
  const name = basename(path, '.parquet');
  const folder = dirname(path);
  if (/^\d+$/.test(name) && folder !== '.') return { config: dirname(folder), split: basename(folder) };
  return { config: folder, split: name.replace(PART, '') };
}

/** Behind the name of a split, which part of it a file is, from 0; some writers put a hash behind it. */
const PART = /-(\d{5})-of-(\d{5})(-[0-9a-f]+)?$/;

/**
 * Each part that names of files promise has to be there, once.
 *
 * @throws FileError ERR_FILE_INVALID that names what is missing, or too much
 */
function checkWhole(folder: string, paths: readonly string[]): void {
  const refuse = (expected: string, found: string): never => {
    throw new FileError('ERR_FILE_INVALID', `${describePath(folder)}: expected ${expected}, found ${found}.`);
  };
  const parts = new Map<number, string>();
  let before: { readonly path: string; readonly count: string } | undefined;
  for (const path of paths) {
    const [, index = '', count = ''] = PART.exec(basename(path, '.parquet')) ?? [];
    if (count === '') continue;
    if (before !== undefined && before.count !== count)
      refuse('files of one division', `${before.path} and ${path}. Take those of one of the two away`);
    const twin = parts.get(Number(index));
    if (twin !== undefined) refuse('each part once', `${twin} and ${path}. Take one of the two away`);
    parts.set(Number(index), path);
    before = { path, count };
  }
  if (before === undefined) return;
  const count = Number(before.count);
  const lacking = Array.from({ length: count }, (_, index) => index).filter((index) => !parts.has(index));
  if (lacking.length === 0) return;
  const shown = lacking.slice(0, SHOWN_ENTRIES).map((index) => `${String(index).padStart(5, '0')}-of-${before.count}`);
  const names = lacking.length > SHOWN_ENTRIES ? `${shown.join(', ')}, ...` : shown.join(', ');
  refuse(
    `${count} files, as the name of ${before.path} says`,
    `${count - lacking.length}: without ${names}. Fetch what is missing, or name one file`,
  );
}

/** @throws UsageError ERR_INVALID_OPTION */
function chosen(folder: string, splits: readonly string[], split: string | null): string {
  const [first] = splits;
  if (split === null && first !== undefined && splits.length === 1) return first;
  if (split !== null && splits.includes(split)) return split;
  const there = splits.length === 0 ? 'no splits' : splits.join(', ');
  throw new UsageError(
    'ERR_INVALID_OPTION',
    split === null
      ? `split: expected the name of one, because ${describePath(folder)} holds ${there}; received none.`
      : `split: expected one that ${describePath(folder)} holds (${there}), received ${describe(split)}.`,
  );
}

async function noDataset(folder: string): Promise<FileError> {
  const entries = (await readdir(folder)).sort();
  const shown = entries.slice(0, SHOWN_ENTRIES).join(', ');
  const held = entries.length === 0 ? 'nothing' : entries.length > SHOWN_ENTRIES ? `${shown}, ...` : shown;
  return new FileError(
    'ERR_FILE_INVALID',
    `Expected a data set in the folder ${describePath(folder)} (parquet files, or what save_to_disk wrote), found ${held}. Name a file of requests itself.`,
  );
}

/** @throws FileError */
async function jsonOf(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readRegularText(path).catch((cause: unknown) => {
    if (cause instanceof FileError) throw cause;
    throw new FileError('ERR_FILE_READ', `Expected to read ${describePath(path)}: ${(cause as Error).message}.`, {
      cause,
    });
  });
  const value = parsedJson(text);
  if (isRecord(value)) return value;
  throw new FileError('ERR_FILE_INVALID', `${describePath(path)}: expected a JSON object, received ${describe(text)}.`);
}
