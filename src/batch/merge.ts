/** Several results files, made under the same settings, to one. */
import { stat } from 'node:fs/promises';
import { FileError, throwIfAborted, UsageError } from '../errors.js';
import { describe, describePath } from '../options.js';
import { checkApart, LockFile, type LockHolder, placeOf } from '../outputs/index.js';
import { KeyTable } from './key-table.js';
import { LineList } from './line-list.js';
import { Numbers } from './numbers.js';
import { ResultsFile } from './results-file.js';
import { bytesOf, placedLines } from './results-lines.js';
import { checkResultsPlace, lockPath, resultsOutputs } from './results-place.js';
import type { BatchSettings } from './settings.js';
import { checkSame, readSettings, settingsPath } from './settings-file.js';
import type { TallyCounts } from './tally.js';

/** What `mergeResults` takes. */
export interface MergeResultsOptions {
  /** Results files, at least one, in the order in which their lines are taken. */
  paths: readonly string[];
  /** Where all lines go, with settings of its own, so that it can be resumed without a shard. None of `paths`. */
  out: string;
  /** Whether the lines stand in the order of the requests. @default false */
  ordered?: boolean | undefined;
  /** Whether the answers of an earlier batch at `out` make place. @default false */
  overwrite?: boolean | undefined;
  /** Ends the merging with an AbortError, and nothing is written. */
  signal?: AbortSignal | undefined;
  /**
   * Called while a file's lock, that of `out` too, is looked at, some seconds apart: who holds it is on another machine, and may be gone. Null
   * where the lock does not tell.
   */
  onWait?: ((path: string, holder: LockHolder | null) => void) | undefined;
}

/** What became of several results files. */
export interface Merged {
  /** Of all lines in the file. */
  readonly tally: TallyCounts;
  /** Shards of which no file was given, such as "3/4". */
  readonly missingShards: readonly string[];
}

/**
 * Joins results files; theirs stay as they are. All is checked before anything is written.
 *
 * @throws UsageError ERR_RESULTS_DIFFER when settings differ, the shard apart; ERR_DUPLICATE_ID when two files answer the
 * same request; ERR_RESULTS_LOCKED while one of them is written; ERR_RESULTS_EXIST; FileError; AbortError
 */
export async function mergeResults(options: MergeResultsOptions): Promise<Merged> {
  const { paths, out, ordered = false, overwrite = false, signal, onWait } = options;
  const onWaitForOut = (holder: LockHolder | null) => onWait?.(out, holder);
  await checkResultsPlace({ path: out, overwrite, signal, onWait: onWaitForOut });
  const targets = await Promise.all(paths.map(async (path) => (await placeOf(path)).target));
  await checkApart(
    await resultsOutputs(out),
    [...paths, ...targets.map(settingsPath)].map((path) => ({ path, name: 'one of the files to merge' })),
  );
  const { settings, missingShards } = await sharedSettings(paths);
  // At once, not in turn: who wrote on another machine is looked at for a minute, which may be gone.
  await Promise.all(
    targets.map((target, index) => {
      const path = paths[index] ?? target;
      return LockFile.checkFree(lockPath(target), path, { signal, onWait: (holder) => onWait?.(path, holder) });
    }),
  );
  const sources = await gather(paths, signal);
  if (ordered) await sources.sort(signal);
  const about = { mergedFrom: [...paths], startedAt: new Date().toISOString() };
  await using results = await ResultsFile.open({ path: out, settings, about, overwrite, signal, onWait: onWaitForOut });
  await results.addWhole(bytesOf(sources.sources(), signal));
  return { tally: results.tally, missingShards };
}

async function sharedSettings(
  paths: readonly string[],
): Promise<{ settings: BatchSettings; missingShards: readonly string[] }> {
  let shared: { readonly settings: BatchSettings; readonly path: string } | undefined;
  const shards = new Set<string>();
  for (const path of paths) {
    await checkThere(path);
    const beside = settingsPath((await placeOf(path)).target);
    const settings = await readSettings(path);
    if (settings === null) {
      throw new UsageError(
        'ERR_RESULTS_DIFFER',
        `Expected the settings of ${describePath(path)} in ${describePath(beside)}, found no such file. Keep the two together.`,
      );
    }
    const { shard = null, ...others } = settings;
    if (typeof shard === 'string') shards.add(shard);
    const first = shared;
    if (first !== undefined) {
      checkSame(
        first.settings,
        { ...others, shard: null },
        (words) =>
          `Expected answers made under the same settings in ${describePath(first.path)} and ${describePath(path)}: ${words}.`,
      );
    }
    shared ??= { settings: { ...others, shard: null }, path };
  }
  if (shared === undefined) throw new UsageError('ERR_INVALID_OPTION', 'Expected files to merge, received none.');
  return { settings: shared.settings, missingShards: missingOf(shards) };
}

/** @throws UsageError ERR_RESULTS_DIFFER for parts of two divisions, which do not make a whole */
function missingOf(shards: ReadonlySet<string>): string[] {
  const [count = 0, ...others] = new Set([...shards].map((shard) => Number(shard.split('/')[1])));
  if (others.length > 0)
    throw new UsageError(
      'ERR_RESULTS_DIFFER',
      `Expected shards of one division, received ${[...shards].join(', ')}. Merge those of one number of shards.`,
    );
  return Array.from({ length: count }, (_, i) => `${i + 1}/${count}`).filter((shard) => !shards.has(shard));
}

async function checkThere(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return;
  throw new FileError(
    'ERR_FILE_READ',
    `Expected a file of answers at ${describePath(path)}, found ${found === null ? 'none' : 'something else'}. Check the path.`,
  );
}

/** Where each line stands; no id twice. */
async function gather(paths: readonly string[], signal: AbortSignal | undefined): Promise<LineList> {
  const sources = new LineList();
  const met = new KeyTable();
  const [files, numbers] = [new Numbers(Uint32Array), new Numbers(Uint32Array)];
  for (const [file, path] of paths.entries()) {
    for await (const { answer, number, offset, byteCount } of placedLines(path)) {
      throwIfAborted(signal);
      const { id, line } = answer;
      const place = met.add(id === null ? `line ${line}` : `id ${id}`);
      if (place < files.length) {
        const name = id === null ? `place ${line} of the requests` : `the id ${describe(id)}`;
        const earlier = `${describePath(paths[files.at(place)] ?? '')}, line ${numbers.at(place)}`;
        throw new UsageError(
          'ERR_DUPLICATE_ID',
          `Expected one answer for ${name}, received two: ${earlier}, and ${describePath(path)}, line ${number}. Take one of the files away, or one of the lines.`,
        );
      }
      files.push(file);
      numbers.push(number);
      sources.add({ path, offset, byteCount }, line);
    }
  }
  return sources;
}
