/** One line of a results file: what became of one request. */

import { EtaError, type EtaErrorCode } from '../errors.js';
import type { EtaRequest } from '../eta/index.js';
import type { Method } from '../types/policy.js';
import type { EtaResult, Timings, Usage } from '../types/result.js';
import type { StopReason } from '../types/stop-reason.js';
import type { RoundTrace, RungTrace, Trace } from '../types/trace.js';
import type { Verdict } from '../types/verdict.js';

/** What a batch asks: an {@link EtaRequest} with a name. */
export interface BatchRequest {
  /** Names the request among all others; decides its seed and its shard. */
  readonly id: string;
  /**
   * What is asked. A `seed` in it stands; without one it gets the one of {@link seedOf}. A `signal` in it ends this
   * request alone: its line tells ERR_ABORTED, and resuming with `retryErrors` asks it again.
   */
  readonly request: EtaRequest;
  /** Its place among the requests, from 1. @default counted */
  readonly line?: number | undefined;
  /** What tells it from another request of the same id. @default {@link digestOf} the request */
  readonly digest?: string | undefined;
}

/** A request that could not be read: its answer is its error. */
export interface RefusedRequest {
  /** Null where not even the id could be read. */
  readonly id: string | null;
  /** Its place among the requests, from 1. */
  readonly line: number;
  /** What tells it from another request: see {@link AnswerLine.digest}. */
  readonly digest: string;
  /** Why it cannot be asked. */
  readonly error: LineError;
}

/** Why there is no answer. */
export interface LineError {
  /** Of the error that `respond` threw; ERR_UNEXPECTED for one that is none of ours. */
  readonly code: EtaErrorCode | 'ERR_UNEXPECTED';
  /** What was expected, what came, and what to do. */
  readonly message: string;
}

/**
 * Counts of tokens. Where the batch is repeatable, what kept caches change is absent; and `sampledTokenCount` of an answer
 * that was stopped at an unsafe sentence, because how much was made behind that by then differs from run to run.
 */
export interface AnswerUsage extends Omit<Usage, UnsteadyCount>, Partial<Pick<Usage, UnsteadyCount>> {}
type UnsteadyCount = 'cachedTokenCount' | 'rewardTokenCount' | 'rewardCachedTokenCount' | 'sampledTokenCount';

/** One sentence of the search; its times are absent where the batch is repeatable. */
export interface AnswerRound extends Omit<RoundTrace, RoundTime>, Partial<Pick<RoundTrace, RoundTime>> {}
type RoundTime = 'decodeMs' | 'scoreMs';

/** An answer of a ladder, as lines keep it. */
export interface AnswerRung extends Omit<RungTrace, 'rounds'> {
  /** Its search, sentence by sentence; empty without one, and for the first, whose rounds are the trace's. */
  readonly rounds: readonly AnswerRound[];
}

/** A trace, as lines keep it. */
export interface AnswerTrace extends Omit<Trace, 'rounds' | 'rungs'> {
  /** The search, sentence by sentence; empty without one. */
  readonly rounds: readonly AnswerRound[];
  /** What a ladder tried, in order; absent where none was climbed. */
  readonly rungs?: readonly AnswerRung[] | undefined;
}

/** Every field is always there, `trace` apart. An answer has no error, and an error no answer. */
export interface AnswerLine {
  /** Null where the request was refused before it had a name; `line` tells which it was. */
  readonly id: string | null;
  /** Place of the request among the requests, from 1; in a file, its line. */
  readonly line: number;
  /** The answer; null with an error. */
  readonly text: string | null;
  /** Why the text ends where it does: `length` and `context` say that it was cut. Null with an error. */
  readonly stopReason: StopReason | null;
  /** What was found and done; null with an error. */
  readonly verdict: Verdict | null;
  /** Why there is no answer; null with one. */
  readonly error: LineError | null;
  /** What was to be done for safety; null where the request was refused before it had one. */
  readonly method: Method | null;
  /** What the search drew from; null where the request was refused before it had one. */
  readonly seed: number | null;
  /** Name of the language model; null with an error. */
  readonly model: string | null;
  /** What the answer took, in tokens; null with an error. */
  readonly usage: AnswerUsage | null;
  /** First 16 hexadecimal digits of a SHA-256 over the request: another request under the same id is told by it. */
  readonly digest: string;
  /** What the answer took, in milliseconds; null with an error, or where the batch is repeatable. */
  readonly timings: Timings | null;
  /** How it came to the answer; where the batch keeps traces, and there is an answer. */
  readonly trace?: AnswerTrace;
}

/** Which parts of an answer are kept. */
export interface KeptParts {
  /**
   * Whether every round, candidate and score is kept too.
   * @default false; in `runBatch` what the results' settings say
   */
  keepsTrace?: boolean | undefined;
  /**
   * Whether what differs from run to run is left out: times, and counts of tokens that kept caches and timing change. In
   * `runBatch` each request runs alone then (`exact`), so that answers are the same too.
   * @default false; in `runBatch` what the results' settings say
   */
  repeatable?: boolean | undefined;
}

interface Asked {
  readonly id: string;
  readonly line: number;
  readonly digest: string;
}

/** The line of an answer. */
export function answerLine({ id, line, digest }: Asked, result: EtaResult, kept: KeptParts): AnswerLine {
  const { keepsTrace = false, repeatable = false } = kept;
  const { text, stopReason, verdict, trace, seed, model, usage, timings } = result;
  return {
    id,
    line,
    text,
    stopReason,
    verdict,
    error: null,
    method: trace.method,
    seed,
    model,
    usage: repeatable ? steadyCounts(result) : usage,
    digest,
    timings: repeatable ? null : timings,
    ...(keepsTrace && { trace: repeatable ? withoutTimes(trace) : trace }),
  };
}

/** The line of a request that failed; method and seed are what it would have been answered with. */
export function failedLine(
  { id, line, digest }: Asked,
  error: unknown,
  { method, seed }: { readonly method: Method; readonly seed: number | null },
): AnswerLine {
  return { ...emptyLine(line, digest), id, error: lineError(error), method, seed };
}

/** The line of a request that could not be read. */
export function refusedLine({ id, line, digest, error }: RefusedRequest): AnswerLine {
  return { ...emptyLine(line, digest), id, error };
}

/** An error as a line tells it. */
export function lineError(error: unknown): LineError {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof EtaError ? error.code : 'ERR_UNEXPECTED', message };
}

function emptyLine(line: number, digest: string): AnswerLine {
  return {
    id: null,
    line,
    text: null,
    stopReason: null,
    verdict: null,
    error: null,
    method: null,
    seed: null,
    model: null,
    usage: null,
    digest,
    timings: null,
  };
}

function steadyCounts({ usage, trace }: EtaResult): AnswerUsage {
  const { cachedTokenCount: _cached, rewardTokenCount: _run, rewardCachedTokenCount: _kept, ...counts } = usage;
  if (trace.sentences?.at(-1)?.text !== null) return counts;
  const { sampledTokenCount: _sampled, ...steady } = counts;
  return steady;
}

function withoutTimes(trace: Trace): AnswerTrace {
  const { rungs } = trace;
  const timeless = (rounds: readonly RoundTrace[]): AnswerRound[] =>
    rounds.map(({ decodeMs: _decode, scoreMs: _score, ...round }) => round);
  return {
    ...trace,
    rounds: timeless(trace.rounds),
    ...(rungs && { rungs: rungs.map((rung) => ({ ...rung, rounds: timeless(rung.rounds) })) }),
  };
}
