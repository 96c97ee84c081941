/**
 * Answers on disk, one a line. A line is written whole, behind all others, as soon as it is known; a process that ends at
 * any instant leaves whole lines and at most one torn one, which the next opening takes away.
 */
import { open, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError, UsageError } from '../errors.js';
import { describe, describePath } from '../options.js';
import { identityOf, LockFile, refusedCall, removeDrafts, syncFolder, writeWhole } from '../outputs/index.js';
import type { AnswerLine } from './answer-line.js';
import { type KnownAnswer, KnownAnswers } from './known-answers.js';
import { LineWriter } from './line-writer.js';
import { bytesOf, type LineSource, placedLines } from './results-lines.js';
import { checkResultsPlace, lockPath, type ResultsPlaceOptions, refuseExisting, sizeOf } from './results-place.js';
import type { BatchSettings } from './settings.js';
import { checkSame, readSettings, settingsPath, settingsText } from './settings-file.js';
import type { TallyCounts } from './tally.js';

/** What `ResultsFile.open` takes. */
export interface ResultsFileOptions extends ResultsPlaceOptions {
  /**
   * What the answers depend on: see {@link settingsOf}. Bound to the file; resuming under others is ERR_RESULTS_DIFFER.
   */
  settings: BatchSettings;
  /** Kept beside the settings for readers; not compared. @default {} */
  about?: BatchSettings | undefined;
  /** With `resume`: whether failed lines go, so that their requests are asked again. @default false */
  retryErrors?: boolean | undefined;
}

/** Which lines a file keeps, and in which order. */
export interface RewriteOptions {
  /** Whether a line stays. */
  keeps(line: AnswerLine): boolean;
  /** Where a line belongs. @default where it stands */
  placeOf?(line: AnswerLine): number;
}

/** Answers on disk, for one writer; made by {@link ResultsFile.open}. */
export class ResultsFile {
  /** As it was named. */
  readonly path: string;
  /** What its answers depend on: what `runBatch` decides by. */
  readonly settings: BatchSettings;
  /** Bytes of a torn last line that opening took away. */
  readonly repairedByteCount: number;
  /** Without links: what is written, and beside which settings and lock stand. */
  readonly #target: string;
  readonly #lock: LockFile;
  #writer: LineWriter | undefined;
  #answers = new KnownAnswers();
  #closed: Promise<void> | undefined;

  private constructor({ path, target, settings }: Opened, lock: LockFile, repairedByteCount: number) {
    this.path = path;
    this.settings = settings;
    this.#target = target;
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
    const { target } = await checkResultsPlace(options);
    const named = { path, target, settings };
    const lock = await LockFile.acquire(lockPath(target), path);
    try {
      await removeDrafts(target);
      await removeDrafts(settingsPath(target));
      const sizeBytes = await sizeOf(target);
      if (!resume && !overwrite) refuseExisting(path, sizeBytes);
      if (sizeBytes === 0 || !resume) {
        await begin(named, settingsText(settings, about));
        const file = await new ResultsFile(named, lock, 0).#start();
        await syncFolder(dirname(target));
        return file;
      }
      await checkSettings(named, settings);
      const torn = await tornBytes(named, sizeBytes);
      const file = new ResultsFile(named, lock, torn);
      await file.#index(); // before a byte is taken away: whether they are answers at all
      if (torn > 0) await truncate(target, sizeBytes - torn).catch(rethrow(path));
      if (retryErrors && file.tally.errorCount > 0) await file.#rewriteLines({ keeps: ({ error }) => error === null });
      return await file.#start();
    } catch (error) {
      await lock.release().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  /** Of all lines in the file. */
  get tally(): TallyCounts {
    return this.#answers.tally.counts();
  }

  /** The answer that a request has already, if any. */
  find(id: string): KnownAnswer | undefined {
    return this.#answers.find(id);
  }

  /**
   * The place among the requests and the digest, with a space between, of each line without an id: requests that could
   * not be read. One that was mended since then leaves its old place and digest.
   */
  get refused(): ReadonlySet<string> {
    return this.#answers.refused;
  }

  /**
   * Writes a line; once the promise is kept, no end of this process loses it.
   *
   * @throws FileError ERR_FILE_WRITE
   */
  async add(line: AnswerLine): Promise<void> {
    this.#answers.add(line);
    await this.#openWriter().append(JSON.stringify(line));
  }

  /** Whether a path, however it is spelled, names this file or one of those beside it. */
  async isOwn(path: string): Promise<boolean> {
    const identity = await identityOf(path);
    if (identity === null) return false;
    const own = [this.#target, settingsPath(this.#target), lockPath(this.#target)];
    return (await Promise.all(own.map(identityOf))).includes(identity);
  }

  /** Waits until every line is on the disk. */
  async flush(): Promise<void> {
    await this.#openWriter().flush();
  }

  /** Writes the file anew, whole or not at all: without some lines, or in another order. */
  async rewrite(options: RewriteOptions): Promise<void> {
    await this.#betweenWriters(() => this.#rewriteLines(options));
  }

  /**
   * Fills an empty file at once, whole or not at all.
   *
   * @param lines of results, each with its newline, in chunks
   */
  async addWhole(lines: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#betweenWriters(async () => {
      await this.#replace(lines);
      await this.#index();
    });
  }

  /** Writes what waits and lets others open the file. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  /** Closes; a failed write that somebody was told of is not told again. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isTold = this.#writer?.isFailureTold === true;
    await this.close().catch((error: unknown) => (isTold ? undefined : Promise.reject(error)));
  }

  async #end(): Promise<void> {
    await this.#writer?.close().catch(async (error: unknown) => {
      await this.#lock.release().catch(() => undefined); // the first failure is the one to tell
      throw error;
    });
    await this.#lock.release();
  }

  #openWriter(): LineWriter {
    if (this.#writer !== undefined && this.#closed === undefined) return this.#writer;
    throw new UsageError('ERR_DISPOSED', 'Expected an open results file, received one that was closed. Open it again.');
  }

  async #start(): Promise<this> {
    this.#writer = new LineWriter(this.path, await open(this.#target, 'a').catch(rethrow(this.path)));
    return this;
  }

  /** Work on the file while nobody appends to it. */
  async #betweenWriters(work: () => Promise<void>): Promise<void> {
    await this.#openWriter().close();
    this.#writer = undefined;
    await work();
    await this.#start();
  }

  /** Reads what stands in the file. */
  async #index(): Promise<void> {
    for await (const { answer, number } of placedLines(this.#target)) {
      if (answer.id !== null && this.#answers.find(answer.id) !== undefined) {
        throw new FileError(
          'ERR_FILE_INVALID',
          `${describePath(this.path)}, line ${number}: expected each id once, received ${describe(answer.id)} again. Was the file put together by hand? Take one of the two lines away.`,
        );
      }
      this.#answers.add(answer);
    }
  }

  async #rewriteLines({ keeps, placeOf }: RewriteOptions): Promise<void> {
    const kept: (LineSource & { readonly place: number })[] = [];
    let isChanged = false;
    this.#answers = new KnownAnswers();
    for await (const { answer, offset, byteCount } of placedLines(this.#target)) {
      if (!keeps(answer)) {
        isChanged = true;
        continue;
      }
      this.#answers.add(answer);
      kept.push({ path: this.#target, offset, byteCount, place: placeOf?.(answer) ?? kept.length });
    }
    const ordered = kept.toSorted((a, b) => a.place - b.place);
    isChanged ||= ordered.some((line, i) => line !== kept[i]);
    if (!isChanged) return;
    await this.#replace(bytesOf(ordered));
  }

  async #replace(content: AsyncIterable<Uint8Array>): Promise<void> {
    await writeWhole(this.#target, async (draft) => {
      for await (const chunk of content) await draft.appendFile(chunk);
    });
  }
}

/** A results file as it was named, and where it is. */
interface Named {
  readonly path: string;
  readonly target: string;
}

interface Opened extends Named {
  readonly settings: BatchSettings;
}

/** Old answers must never stand beside new settings: they go once it is sure that the new settings can be written. */
async function begin({ path, target }: Named, settings: string): Promise<void> {
  await writeWhole(settingsPath(target), async (draft) => {
    await draft.writeFile(settings);
    await draft.sync();
    if ((await sizeOf(target)) > 0) await truncate(target).catch(rethrow(path));
  });
}

async function checkSettings({ path, target }: Named, settings: BatchSettings): Promise<void> {
  const before = await readSettings(target);
  if (before === null) {
    throw new UsageError(
      'ERR_RESULTS_DIFFER',
      `Expected the settings of ${describePath(path)} in ${describePath(settingsPath(target))}, found no such file. Put it back, or begin another results file.`,
    );
  }
  checkSame(
    before,
    settings,
    (words) =>
      `Expected the settings that ${describePath(path)} was begun under: ${words}. Resume under those, or begin another results file. Or begin anew with overwrite: true.`,
  );
}

/** Bytes of a torn last line. */
async function tornBytes({ path, target }: Named, sizeBytes: number): Promise<number> {
  const handle = await open(target, 'r').catch(unreadable(path));
  try {
    // From behind, in pieces: only the last line can lack its newline.
    const piece = Buffer.alloc(2 ** 16);
    for (let end = sizeBytes; end > 0; end -= Math.min(end, piece.length)) {
      const start = Math.max(0, end - piece.length);
      const { bytesRead } = await handle.read(piece, 0, end - start, start);
      const newline = piece.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (newline >= 0) return sizeBytes - (start + newline + 1);
    }
    return sizeBytes;
  } finally {
    await handle.close();
  }
}

function rethrow(path: string): (cause: unknown) => never {
  return (cause) => {
    throw refusedCall(path, cause);
  };
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new FileError(
      'ERR_FILE_READ',
      `Expected to read ${describePath(path)}, but it failed: ${(cause as Error).message}.`,
      { cause },
    );
  };
}
