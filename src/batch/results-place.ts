/** Where the results of a batch stand with what belongs to them, and whether they may. */
import { access, constants, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError, UsageError } from '../errors.js';
import { describePath } from '../options.js';
import {
  checkPlainFile,
  LockFile,
  type LockHolder,
  type Output,
  type Place,
  placeOf,
  unwritable,
} from '../outputs/index.js';
import { EARLIER_LINE, placedLines } from './results-lines.js';
import { holdsSettings, readSettings, settingsPath } from './settings-file.js';

/** Where the lock of a results file stands. */
export function lockPath(target: string): string {
  return `${target}.lock`;
}

/** What a results file takes of its folder, for what is to stand apart from it. */
export async function resultsOutputs(path: string, name = 'The results (--out)'): Promise<Output[]> {
  const { target } = await placeOf(path);
  return [
    { path, name },
    { path: settingsPath(target), name: `${name}, their settings` },
    { path: lockPath(target), name: `${name}, their lock` },
  ];
}

/** Where results stand, and what may stand there. */
export interface ResultsPlaceOptions {
  /** The file; settings and lock stand beside it. */
  path: string;
  /** Whether to go on with a file that is there; without one, it begins. @default false */
  resume?: boolean | undefined;
  /** Whether to begin anew in place of answers that are there; `resume` goes before it. @default false */
  overwrite?: boolean | undefined;
  /**
   * Whether to wait while another process writes the file, however long; it is refused otherwise. A process that can only
   * be seen through its lock, on another machine say, is looked at for a minute in any case: it may be gone.
   * @default false
   */
  waits?: boolean | undefined;
  /** Called before each look at who writes the file, some seconds apart; null where the lock does not tell. */
  onWait?: ((holder: LockHolder | null) => void) | undefined;
  /** Ends the waiting with an AbortError. */
  signal?: AbortSignal | undefined;
}

/**
 * Refuses early what opening would refuse after models were loaded.
 *
 * @throws UsageError ERR_INVALID_OPTION, ERR_RESULTS_EXIST, ERR_RESULTS_LOCKED, ERR_RESULTS_DIFFER for answers of an
 * earlier form without `overwrite`; FileError ERR_FILE_INVALID for other settings, ERR_FILE_WRITE; AbortError
 */
export async function checkResultsPlace(options: ResultsPlaceOptions): Promise<Place> {
  const { path, resume = false, overwrite = false, waits, onWait, signal } = options;
  const place = await placeOf(path);
  const { target } = place;
  checkPlainFile(place, path, 'The results');
  const beside = settingsPath(target);
  checkPlainFile(await placeOf(beside), beside, 'The settings of the results');
  await access(dirname(target), constants.W_OK).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  if (!resume && !overwrite) refuseExisting(path, await sizeOf(target));
  await LockFile.checkFree(lockPath(target), path, { waits, onWait, signal });
  const sizeBytes = await sizeOf(target);
  const isBegun = overwrite ? await holdsSettings(beside) : (await readSettings(target)) !== null;
  if (overwrite && sizeBytes > 0 && !(await holdsAnswers(target, isBegun))) {
    throw new UsageError(
      'ERR_RESULTS_EXIST',
      `Expected answers of a batch at ${describePath(path)} to begin anew in their place, found something else. Name another file, or take this one away.`,
    );
  }
  return place;
}

/** Whether a file begins with an answer, also one of an earlier form; where its settings stand beside it, one that was torn will do. */
async function holdsAnswers(target: string, isBegun: boolean): Promise<boolean> {
  try {
    for await (const _answer of placedLines(target, EARLIER_LINE)) return true;
    return isBegun;
  } catch (error) {
    if (error instanceof FileError && error.code === 'ERR_FILE_INVALID') return false;
    throw error;
  }
}

/** @throws UsageError ERR_RESULTS_EXIST */
export function refuseExisting(path: string, sizeBytes: number): void {
  if (sizeBytes === 0) return;
  throw new UsageError(
    'ERR_RESULTS_EXIST',
    `Expected a results file that is not there yet, received ${describePath(path)}, which holds results. Name another, or begin it anew with overwrite: true. Or go on with resume: true.`,
  );
}

/**
 * 0 for what is not there. It is opened: a network folder answers by a name what it has heard before, and only opening
 * asks it anew.
 *
 * @throws FileError ERR_FILE_READ where nobody knows: answers that are there are never taken for nothing
 */
export async function sizeOf(path: string): Promise<number> {
  try {
    const handle = await open(path, 'r');
    try {
      return (await handle.stat()).size;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 0;
    throw new FileError(
      'ERR_FILE_READ',
      `Expected to see what ${describePath(path)} holds, but it failed: ${message}. Look after the file, then begin again; nothing was changed.`,
      { cause },
    );
  }
}
