/**
 * Answers on disk, one a line. A line is written whole, behind all others, as soon as it is known; a process that ends at
 * any instant leaves whole lines and at most one torn one, which the next opening takes away.
 */
import { open, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError, UsageError } from '../errors.js';
import { describe } from '../options.js';
import type { AnswerLine } from './answer-line.js';
import { LineWriter } from './line-writer.js';
import { LockFile } from './lock-file.js';
import { bytesOf, type LineSource, placedLines } from './results-lines.js';
import type { BatchSettings } from './settings.js';
import { checkSame, readSettings, settingsPath, settingsText } from './settings-file.js';
import { Tally } from './tally.js';
import { syncFolder, writeWhole } from './whole-file.js';

export interface ResultsFileOptions {
  readonly path: string;
  /** What the answers depend on; bound to the file. */
  readonly settings: BatchSettings;
  /** Kept beside the settings for readers; not compared. @default {} */
  readonly about?: BatchSettings;
  /** Go on with a file that is there; without one, begin. @default false */
  readonly resume?: boolean;
  /** Begin anew in place of a file that is there. @default false */
  readonly overwrite?: boolean;
  /** With `resume`: take failed lines away, so that their requests are asked again. @default false */
  readonly retryErrors?: boolean;
}

/** What is known of a request that stands in the file. */
export interface KnownAnswer {
  readonly digest: string;
  readonly isError: boolean;
}

/** What tells a refused request that has no id from others. */
export function refusalKey(line: number, digest: string): string {
  return `${line} ${digest}`;
}

export interface RewriteOptions {
  /** Whether a line stays. */
  keeps(line: AnswerLine): boolean;
  /** Where a line belongs; without it the order stays. */
  placeOf?(line: AnswerLine): number;
}

export class ResultsFile {
  readonly path: string;
  /** Bytes of a torn last line that opening took away. */
  readonly repairedByteCount: number;
  #tally = new Tally();
  readonly #lock: LockFile;
  #writer: LineWriter | undefined;
  readonly #known = new Map<string, KnownAnswer>();
  /** {@link refusalKey} of each. */
  readonly #refused = new Set<string>();
  #closed: Promise<void> | undefined;

  private constructor(path: string, lock: LockFile, repairedByteCount: number) {
    this.path = path;
    this.#lock = lock;
    this.repairedByteCount = repairedByteCount;
  }

  /**
   * Opens the file for one writer.
   *
   * @throws UsageError ERR_RESULTS_EXIST when it is there and neither `resume` nor `overwrite` is said, ERR_RESULTS_DIFFER
   * when it was begun under other settings, ERR_RESULTS_LOCKED when another process writes it; FileError
   */
  static async open(options: ResultsFileOptions): Promise<ResultsFile> {
    const { path, settings, about = {}, resume = false, overwrite = false, retryErrors = false } = options;
    await checkResultsPlace(options);
    const lock = await LockFile.acquire(`${path}.lock`, path);
    try {
      const sizeBytes = await sizeOf(path);
      if (!resume && !overwrite) refuseExisting(path, sizeBytes);
      if (sizeBytes === 0 || !resume) {
        await begin(path, settingsText(settings, about));
        const file = await new ResultsFile(path, lock, 0).#start();
        await syncFolder(dirname(path));
        return file;
      }
      await checkSettings(path, settings);
      const file = new ResultsFile(path, lock, await repair(path, sizeBytes));
      await file.#index();
      if (retryErrors && file.tally.errorCount > 0) await file.#rewriteLines({ keeps: ({ error }) => error === null });
      return await file.#start();
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Of all lines in the file. */
  get tally(): Readonly<Tally> {
    return this.#tally;
  }

  /** The answer that a request has already, if any. */
  find(id: string): KnownAnswer | undefined {
    return this.#known.get(id);
  }

  /** {@link refusalKey} of each line whose request had no id. A request that was mended since then leaves its old one. */
  get refused(): ReadonlySet<string> {
    return this.#refused;
  }

  /**
   * Writes a line; once the promise is kept, no end of this process loses it.
   *
   * @throws FileError ERR_FILE_WRITE
   */
  async add(line: AnswerLine): Promise<void> {
    this.#register(line);
    await this.#openWriter().append(JSON.stringify(line));
  }

  /** Waits until every line is on the disk. */
  async flush(): Promise<void> {
    await this.#openWriter().flush();
  }

  /** Writes the file anew, whole or not at all: without some lines, or in another order. */
  async rewrite(options: RewriteOptions): Promise<void> {
    await this.#openWriter().close();
    this.#writer = undefined;
    await this.#rewriteLines(options);
    await this.#start();
  }

  /**
   * Fills an empty file at once, whole or not at all.
   *
   * @param lines of results, each with its newline, in chunks
   */
  async addWhole(lines: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#openWriter().close();
    this.#writer = undefined;
    await this.#replace(lines);
    await this.#index();
    await this.#start();
  }

  /** Writes what waits and lets others open the file. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    try {
      await this.#writer?.close();
    } finally {
      await this.#lock.release();
    }
  }

  #openWriter(): LineWriter {
    if (this.#writer !== undefined && this.#closed === undefined) return this.#writer;
    throw new UsageError('ERR_DISPOSED', 'Expected an open results file, received one that was closed. Open it again.');
  }

  async #start(): Promise<this> {
    this.#writer = new LineWriter(this.path, await open(this.path, 'a').catch(unwritable(this.path)));
    return this;
  }

  #register({ id, line, digest, error, verdict, stopReason }: Registered): void {
    if (id === null) this.#refused.add(refusalKey(line, digest));
    else this.#known.set(id, { digest, isError: error !== null });
    this.#tally.add({ error, verdict, stopReason });
  }

  /** Reads what stands in the file. */
  async #index(): Promise<void> {
    for await (const { answer, number } of placedLines(this.path)) {
      if (answer.id !== null && this.#known.has(answer.id)) {
        throw new FileError(
          'ERR_FILE_INVALID',
          `${describe(this.path)}, line ${number}: expected each id once, received ${describe(answer.id)} again. Was the file put together by hand? Take one of the two lines away.`,
        );
      }
      this.#register(answer);
    }
  }

  async #rewriteLines({ keeps, placeOf }: RewriteOptions): Promise<void> {
    const kept: (LineSource & { readonly place: number })[] = [];
    let isChanged = false;
    this.#known.clear();
    this.#refused.clear();
    this.#tally = new Tally();
    for await (const { answer, offset, byteCount } of placedLines(this.path)) {
      if (!keeps(answer)) {
        isChanged = true;
        continue;
      }
      this.#register(answer);
      kept.push({ path: this.path, offset, byteCount, place: placeOf?.(answer) ?? kept.length });
    }
    const ordered = kept.toSorted((a, b) => a.place - b.place);
    isChanged ||= ordered.some((line, i) => line !== kept[i]);
    if (!isChanged) return;
    await this.#replace(bytesOf(ordered));
  }

  async #replace(content: AsyncIterable<Uint8Array>): Promise<void> {
    await writeWhole(this.path, async (draft) => {
      for await (const chunk of content) await draft.appendFile(chunk);
    }).catch((error: unknown) => (isFailedCall(error) ? unwritable(this.path)(error) : Promise.reject(error)));
  }
}

type Registered = Pick<AnswerLine, 'id' | 'line' | 'digest' | 'error' | 'verdict' | 'stopReason'>;

async function begin(path: string, settings: string): Promise<void> {
  try {
    await rm(path, { force: true }); // old answers first: they must never stand beside new settings
    await writeWhole(settingsPath(path), (draft) => draft.writeFile(settings));
  } catch (cause) {
    unwritable(path)(cause);
  }
}

async function checkSettings(path: string, settings: BatchSettings): Promise<void> {
  const before = await readSettings(settingsPath(path));
  if (before === null) {
    throw new UsageError(
      'ERR_RESULTS_DIFFER',
      `Expected the settings of ${describe(path)} in ${describe(settingsPath(path))}, found no such file. Put it back, or begin another results file.`,
    );
  }
  checkSame(
    before,
    settings,
    (words) =>
      `Expected the settings that ${describe(path)} was begun under: ${words}. Resume under those, or begin another results file.`,
  );
}

/** Takes a torn last line away. */
async function repair(path: string, sizeBytes: number): Promise<number> {
  let wholeBytes = 0;
  const handle = await open(path, 'r').catch(unreadable(path));
  try {
    // From behind, in pieces: only the last line can lack its newline.
    const piece = Buffer.alloc(2 ** 16);
    for (let end = sizeBytes; end > 0; end -= Math.min(end, piece.length)) {
      const start = Math.max(0, end - piece.length);
      const { bytesRead } = await handle.read(piece, 0, end - start, start);
      const newline = piece.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (newline < 0) continue;
      wholeBytes = start + newline + 1;
      break;
    }
  } finally {
    await handle.close();
  }
  if (wholeBytes < sizeBytes) await truncate(path, wholeBytes).catch(unwritable(path));
  return sizeBytes - wholeBytes;
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/**
 * Refuses early what {@link ResultsFile.open} would refuse after models were loaded.
 *
 * @throws UsageError ERR_INVALID_OPTION, ERR_RESULTS_EXIST
 */
export async function checkResultsPlace(
  options: Pick<ResultsFileOptions, 'path' | 'resume' | 'overwrite'>,
): Promise<void> {
  const { path, resume = false, overwrite = false } = options;
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile()) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `Expected a file for results, received ${describe(path)}, which is ${found.isDirectory() ? 'a folder' : 'no plain file'}. Name a file.`,
    );
  }
  if (!resume && !overwrite) refuseExisting(path, found?.size ?? 0);
}

function refuseExisting(path: string, sizeBytes: number): void {
  if (sizeBytes === 0) return;
  throw new UsageError(
    'ERR_RESULTS_EXIST',
    `Expected a results file that is not there yet, received ${describe(path)}, which holds results. Resume it (--resume), begin it anew (--overwrite), or name another.`,
  );
}

/** Whether the system refused, and not the caller's signal or a line that is none. */
function isFailedCall(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

function unwritable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new FileError(
      'ERR_FILE_WRITE',
      `Expected to write ${describe(path)}, but it failed: ${(cause as Error).message}. Name a file in a folder that can be written.`,
      { cause },
    );
  };
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new FileError(
      'ERR_FILE_READ',
      `Expected to read ${describe(path)}, but it failed: ${(cause as Error).message}.`,
      { cause },
    );
  };
}
