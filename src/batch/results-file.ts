/**
 * Answers on disk, one a line. A line is written whole, behind all others, as soon as it is known; a process that ends at
 * any instant leaves whole lines and at most one torn one, which the next opening takes away.
 *
 * Every opening goes on in a file of its own: a copy, which takes the name of the one that was there. Whoever wrote that
 * one and was taken for lost can write to it as long as it likes: it has no name any more, and no reader. The order of the
 * steps, and why nothing of two writers can mix, stand in outputs/lock-file.ts.
 */
import { createReadStream } from 'node:fs';
import { constants, open } from 'node:fs/promises';
import { FileError, UsageError } from '../errors.js';
import { describe, describePath, parseOptions } from '../options.js';
import { identityOf, LockFile, refusedCall, removeDrafts } from '../outputs/index.js';
import type { AnswerLine } from './answer-line.js';
import { Hold } from './hold.js';
import { type KnownAnswer, KnownAnswers } from './known-answers.js';
import { LineList } from './line-list.js';
import { LineWriter } from './line-writer.js';
import { bytesOf, placedLines, tornBytes } from './results-lines.js';
import { type ResultsFileOptions, resultsFileSchema } from './results-options.js';
import { checkResultsPlace, lockPath, refuseExisting, sizeOf } from './results-place.js';
import type { BatchSettings } from './settings.js';
import { checkSettings, settingsPath, settingsText } from './settings-file.js';
import type { TallyCounts } from './tally.js';

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
  /** Without links: what is written, and beside which settings and lock stand. */
  readonly #target: string;
  readonly #hold: Hold;
  #repairedByteCount = 0;
  #writer: LineWriter | undefined;
  #answers = new KnownAnswers();
  #closed: Promise<void> | undefined;

  private constructor({ path, target, settings }: Opened, hold: Hold) {
    this.path = path;
    this.settings = settings;
    this.#target = target;
    this.#hold = hold;
  }

  /**
   * Opens the file for one writer.
   *
   * @throws UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION; ERR_RESULTS_EXIST when it is there and neither `resume` nor `overwrite` is said, ERR_RESULTS_DIFFER
   * when it was begun under other settings, ERR_RESULTS_LOCKED when another process writes it; FileError; AbortError
   */
  static async open(options: ResultsFileOptions): Promise<ResultsFile> {
    const parsed = parseOptions(resultsFileSchema, options, 'ResultsFile.open options');
    const { path, settings, about = {}, resume = false, overwrite = false, retryErrors = false } = parsed;
    const { target } = await checkResultsPlace(parsed);
    const hold = new Hold(await LockFile.acquire(lockPath(target), path, parsed));
    try {
      await hold.check(); // or the drafts of its real holder were taken away
      await removeDrafts(target);
      await removeDrafts(settingsPath(target));
      const file = new ResultsFile({ path, target, settings }, hold);
      const sizeBytes = await sizeOf(target);
      if (!resume && !overwrite) refuseExisting(path, sizeBytes);
      if (sizeBytes === 0 || !resume) await file.#begin(settingsText(settings, about));
      else await file.#goOn(retryErrors);
      return file;
    } catch (error) {
      await hold.release().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  /** Bytes of a torn last line that opening took away. */
  get repairedByteCount(): number {
    return this.#repairedByteCount;
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
   * @throws FileError ERR_FILE_WRITE; UsageError ERR_RESULTS_LOCKED once another process has taken the file over
   */
  async add(line: AnswerLine): Promise<void> {
    const writer = this.#openWriter();
    if (this.#hold.isLost) await this.#hold.check();
    this.#answers.add(line);
    await writer.append(JSON.stringify(line));
  }

  /** Whether a path, however it is spelled, names this file or one of those beside it. */
  async isOwn(path: string): Promise<boolean> {
    const identity = await identityOf(path);
    if (identity === null) return false;
    const own = [this.#target, settingsPath(this.#target), lockPath(this.#target)];
    return (await Promise.all(own.map(identityOf))).includes(identity);
  }

  /**
   * Waits until every line is on the disk.
   *
   * @throws FileError ERR_FILE_WRITE; UsageError ERR_RESULTS_LOCKED when another process has taken the file over
   */
  async flush(): Promise<void> {
    await this.#openWriter().flush();
    await this.#hold.check();
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
    const isTold = this.#hold.isLossTold || this.#writer?.isFailureTold === true;
    await this.close().catch((error: unknown) => (isTold ? undefined : Promise.reject(error)));
  }

  async #end(): Promise<void> {
    try {
      await this.#writer?.close();
      await this.#hold.check();
    } catch (error) {
      await this.#hold.release().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
    await this.#hold.release();
  }

  #openWriter(): LineWriter {
    if (this.#writer !== undefined && this.#closed === undefined) return this.#writer;
    throw new UsageError('ERR_DISPOSED', 'Expected an open results file, received one that was closed. Open it again.');
  }

  /** Old answers must never stand beside new settings: they go once it is sure that the new settings can be written. */
  async #begin(settings: string): Promise<void> {
    await this.#hold.publish(settingsPath(this.#target), async (draft) => {
      await draft.writeFile(settings);
      await draft.sync();
      await this.#hold.publish(this.#target, async () => undefined);
    });
    await this.#start();
  }

  async #goOn(retryErrors: boolean): Promise<void> {
    await checkSettings(this.#target, this.path, this.settings);
    await this.#replace(createReadStream(this.#target, { highWaterMark: COPIED_BYTES }));
    this.#repairedByteCount = await tornBytes(this.#target, this.path);
    await this.#index(); // before a byte is taken away: whether they are answers at all
    const isRewritten = retryErrors && this.tally.errorCount > 0; // then without the torn line too
    if (isRewritten) await this.#rewriteLines({ keeps: ({ error }) => error === null });
    await this.#start(isRewritten ? 0 : this.#repairedByteCount);
  }

  /** Opens the file to append, without the last bytes. */
  async #start(tornByteCount = 0): Promise<void> {
    const handle = await open(this.#target, constants.O_WRONLY | constants.O_APPEND).catch(rethrow(this.path));
    try {
      await this.#hold.check(); // whose file it was that was opened
      if (tornByteCount > 0) await handle.truncate((await handle.stat()).size - tornByteCount);
    } catch (cause) {
      await handle.close().catch(() => undefined); // the first failure is the one to tell
      throw refusedCall(this.path, cause);
    }
    this.#writer = new LineWriter(this.path, handle);
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
    const kept = new LineList();
    let isChanged = false;
    this.#answers = new KnownAnswers();
    for await (const { answer, offset, byteCount } of placedLines(this.#target)) {
      if (!keeps(answer)) {
        isChanged = true;
        continue;
      }
      this.#answers.add(answer);
      kept.add({ path: this.#target, offset, byteCount }, placeOf?.(answer) ?? kept.length);
    }
    isChanged = (await kept.sort()) || isChanged;
    if (!isChanged) return;
    await this.#replace(bytesOf(kept.sources()));
  }

  async #replace(content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#hold.publish(this.#target, async (draft) => {
      for await (const chunk of content) await draft.appendFile(chunk);
    });
  }
}

/** Read at once where the whole file is copied. */
const COPIED_BYTES = 2 ** 20;

/** A results file as it was named, where it is, and what it was opened under. */
interface Opened {
  readonly path: string;
  readonly target: string;
  readonly settings: BatchSettings;
}

function rethrow(path: string): (cause: unknown) => never {
  return (cause) => {
    throw refusedCall(path, cause);
  };
}
