/** Many requests on one context: as many at once as asked for, each answer on disk before the next request begins. */
import { followAbort, orAbort } from '../abort.js';
import { AbortError, throwIfAborted, UsageError } from '../errors.js';
import { checkCounts } from '../eta/index.js';
import { describe, describePath, parseOptions } from '../options.js';
import {
  type AnswerLine,
  answerLine,
  type BatchRequest,
  failedLine,
  lineError,
  type RefusedRequest,
  refusedLine,
} from './answer-line.js';
import { type Decided, decided } from './decided.js';
import { CONCURRENCY } from './defaults.js';
import { digestOf, seedOf } from './digest.js';
import { KeyTable } from './key-table.js';
import { refusalKey } from './known-answers.js';
import { Numbers } from './numbers.js';
import { checkPictures } from './request-pictures.js';
import { answerUnder } from './request-signal.js';
import { type RunBatchOptions, runBatchSchema } from './run-options.js';
import { isInShard } from './shard.js';
import type { TallyCounts } from './tally.js';

/** What became of a batch. */
export interface BatchSummary {
  /** Requests that are settled, those of earlier runs included. */
  readonly doneCount: number;
  /** Those of earlier runs among them. */
  readonly keptCount: number;
  /** Of all lines in the file. */
  readonly tally: TallyCounts;
}

/**
 * Answers every request once. A request that fails leaves an error line; only what would fail for all of them ends the
 * batch: the signal, a results file that cannot be written, an Eta that was disposed of, an iterable that throws.
 *
 * @throws AbortError; FileError; UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION; ERR_RESULTS_DIFFER when the file answers another request under the same id,
 * or has other settings; what `requests` and `onProgress` throw. All that was answered by then is in the file.
 */
export async function runBatch(options: RunBatchOptions): Promise<BatchSummary> {
  const parsed = parseOptions(runBatchSchema, options, 'batch options');
  const { results, ordered = false, concurrency = CONCURRENCY, signal } = parsed;
  throwIfAborted(signal);
  const stop = new AbortController();
  const takeBack = followAbort(signal, stop);
  const batch = new Batch(parsed, stop.signal);
  const entries = batch.entries();
  let failure: { readonly error: unknown } | undefined;
  const work = async () => {
    try {
      for (;;) {
        throwIfAborted(stop.signal);
        const { done, value } = await orAbort(entries.next(), stop.signal); // a source may never answer
        if (done) return;
        await batch.settle(value);
      }
    } catch (error) {
      failure ??= { error };
      stop.abort(error);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
    if (failure !== undefined) {
      void entries.return().catch(() => undefined); // it may wait for a source that never answers
      throw signal?.aborted ? new AbortError(signal) : failure.error;
    }
    await batch.tidy(ordered);
    await results.flush();
  } catch (error) {
    // Of a stop the disk may have worse to tell; of two failures the first.
    await results.flush().catch((cause: unknown) => (error instanceof AbortError ? Promise.reject(cause) : undefined));
    throw error;
  } finally {
    takeBack();
  }
  return batch.summary();
}

class Batch {
  readonly #options: RunBatchOptions;
  readonly #decided: Decided;
  readonly #signal: AbortSignal;
  /** The ids met so far, and the place of each. */
  readonly #ids = new KeyTable();
  readonly #lines = new Numbers(Float64Array);
  /** Keys of the requests that are refused without an id. */
  readonly #refused = new Set<string>();
  #doneCount = 0;
  #keptCount = 0;

  constructor(options: RunBatchOptions, signal: AbortSignal) {
    this.#options = options;
    this.#decided = decided(options.results, options);
    this.#signal = signal;
  }

  /** What is left to do, in order. */
  async *entries(): AsyncGenerator<Entry, void> {
    const { shard } = this.#decided;
    let count = 0;
    for await (const request of this.#options.requests) {
      count++;
      if (shard !== null && !isInShard(request, shard)) continue;
      const entry = this.#entry(request, request.line ?? count);
      if (this.#isSettled(entry)) {
        this.#doneCount++;
        this.#keptCount++;
        this.#tell(null);
      } else yield entry;
    }
  }

  /** Answers a request and writes its line. */
  async settle(entry: Entry): Promise<void> {
    const line = await this.#answered(entry);
    await this.#options.results.add(line);
    this.#doneCount++;
    this.#tell(line);
  }

  /** Takes away what is no longer true of the requests, and orders the rest. */
  async tidy(ordered: boolean): Promise<void> {
    const { results } = this.#options;
    if (!ordered && [...results.refused].every((key) => this.#refused.has(key))) return;
    await results.rewrite({
      keeps: ({ id, line, digest }) => id !== null || this.#refused.has(refusalKey(line, digest)),
      ...(ordered && { placeOf: ({ id, line }) => (id === null ? line : this.#lineOf(id, line)) }),
    });
  }

  summary(): BatchSummary {
    return { doneCount: this.#doneCount, keptCount: this.#keptCount, tally: this.#options.results.tally };
  }

  /** Where an id stands among the requests; `line` for one that was not met. */
  #lineOf(id: string, line: number): number {
    const place = this.#ids.find(id);
    return place < 0 ? line : this.#lines.at(place);
  }

  #entry(request: BatchRequest | RefusedRequest, line: number): Entry {
    const entry = this.#named(request, line);
    const { digest } = entry;
    if (entry.id === null) {
      this.#refused.add(refusalKey(line, digest));
      return entry;
    }
    const place = this.#ids.add(entry.id);
    if (place === this.#lines.length) {
      this.#lines.push(line);
      return entry;
    }
    const earlier = this.#lines.at(place);
    this.#refused.add(refusalKey(line, digest));
    const message = `Expected each id once, received ${describe(entry.id)} in place ${earlier} and again in place ${line} of the requests. Give one of the two another id.`;
    return { id: null, line, digest, error: { code: 'ERR_DUPLICATE_ID', message } };
  }

  /** With its digest; one that cannot be read, or is too large to, with its error. */
  #named(request: BatchRequest | RefusedRequest, line: number): Entry {
    if ('error' in request) return request;
    try {
      checkCounts(request.request);
      return { ...request, line, digest: request.digest ?? digestOf({ ...request.request, signal: undefined }) };
    } catch (error) {
      const told = lineError(error);
      return { id: request.id, line, digest: request.digest ?? digestOf(told), error: told };
    }
  }

  #isSettled({ id, line, digest }: Entry): boolean {
    const { results } = this.#options;
    if (id === null) return results.refused.has(refusalKey(line, digest));
    const known = results.find(id);
    if (known === undefined || known.digest === digest) return known !== undefined;
    throw new UsageError(
      'ERR_RESULTS_DIFFER',
      known.isError
        ? `The request ${describe(id)}, in place ${line}, failed before and is another one now. Resume with retryErrors: true to ask it again.`
        : `Expected the request that ${describePath(results.path)} answers under the id ${describe(id)}, received another in place ${line} of the requests. Give it another id, or begin another results file.`,
    );
  }

  async #answered(entry: Entry): Promise<AnswerLine> {
    if ('error' in entry) return refusedLine(entry);
    const { eta, results } = this.#options;
    const { id, request } = entry;
    let seed: number | null = null;
    try {
      seed = request.seed ?? seedOf(this.#decided.seed, id);
      await checkPictures(request, results);
      // What others left, or run beside it, would change the last bits.
      const asked = this.#decided.repeatable ? { ...request, seed, exact: true } : { ...request, seed };
      return answerLine(entry, await answerUnder(eta, asked, this.#signal), this.#decided);
    } catch (error) {
      if (this.#signal.aborted || isDisposed(error)) throw error;
      return failedLine(entry, error, { method: request.method ?? eta.facts.policy.method, seed });
    }
  }

  #tell(line: AnswerLine | null): void {
    this.#options.onProgress?.({ ...this.summary(), line });
  }
}

type Entry = (BatchRequest | RefusedRequest) & { readonly line: number; readonly digest: string };

function isDisposed(error: unknown): boolean {
  return error instanceof UsageError && error.code === 'ERR_DISPOSED';
}
