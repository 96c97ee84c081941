/** One line of a results file: what became of one request. */

import { EtaError, type EtaErrorCode } from '../errors.js';
import type { EtaRequest } from '../eta/index.js';
import type { EtaResult, Method, RoundTrace, StopReason, Timings, Trace, Usage, Verdict } from '../types.js';

/** What a batch asks: an {@link EtaRequest} with a name. Its signal is the batch's. */
export interface BatchRequest {
  /** Names the request among all others; decides its seed and its shard. */
  readonly id: string;
  /** What is asked. A `seed` in it stands; without one it gets the one of {@link seedOf}. */
  readonly request: EtaRequest & { readonly signal?: undefined };
  /** Its place among the requests, from 1. @default counted */
  readonly line?: number;
  /** What tells it from another request of the same id. @default {@link digestOf} the request */
  readonly digest?: string;
}

/** A request that could not be read: its answer is its error. */
export interface RefusedRequest {
  /** Null where not even the id could be read. */
  readonly id: string | null;
  readonly line: number;
  readonly digest: string;
  readonly error: LineError;
}

/** Why there is no answer. */
export interface LineError {
  readonly code: EtaErrorCode | 'ERR_UNEXPECTED';
  readonly message: string;
}

/** Counts of tokens; what the reward model's kept caches change is absent where the batch is repeatable. */
export type AnswerUsage = Omit<Usage, RewardCount> & Partial<Pick<Usage, RewardCount>>;
type RewardCount = 'rewardTokenCount' | 'rewardCachedTokenCount';

/** A trace; its times are absent where the batch is repeatable. */
export type AnswerTrace = Omit<Trace, 'rounds'> & {
  readonly rounds: readonly (Omit<RoundTrace, 'decodeMs' | 'scoreMs'> & Partial<RoundTrace>)[];
};

/** Every field is always there, `trace` apart. An answer has no error, and an error no answer. */
export interface AnswerLine {
  /** Null where the request was refused before it had a name; `line` tells which it was. */
  readonly id: string | null;
  /** Place of the request among the requests, from 1; in a file, its line. */
  readonly line: number;
  readonly text: string | null;
  /** Why the text ends where it does: `length` and `context` say that it was cut. Null with an error. */
  readonly stopReason: StopReason | null;
  readonly verdict: Verdict | null;
  readonly error: LineError | null;
  /** Null where the request was refused before it had one. */
  readonly method: Method | null;
  readonly seed: number | null;
  /** Name of the language model. */
  readonly model: string | null;
  readonly usage: AnswerUsage | null;
  /** First 16 hexadecimal digits of a SHA-256 over the request: another request under the same id is told by it. */
  readonly digest: string;
  /** Null with an error, or where the batch is repeatable. */
  readonly timings: Timings | null;
  /** Where the batch keeps traces, and there is an answer. */
  readonly trace?: AnswerTrace;
}

/** Which parts of an answer are kept. */
export interface Kept {
  /** Every round, candidate and score too. @default false */
  readonly keepsTrace?: boolean;
  /** Leaves out what differs from run to run: times, and the counts of tokens that the reward model's caches change. @default false */
  readonly repeatable?: boolean;
}

interface Asked {
  readonly id: string;
  readonly line: number;
  readonly digest: string;
}

/** The line of an answer. */
export function answerLine({ id, line, digest }: Asked, result: EtaResult, kept: Kept): AnswerLine {
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
    usage: repeatable ? withoutRewardCounts(usage) : usage,
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

function withoutRewardCounts({ rewardTokenCount: _run, rewardCachedTokenCount: _kept, ...usage }: Usage): AnswerUsage {
  return usage;
}

function withoutTimes(trace: Trace): AnswerTrace {
  return { ...trace, rounds: trace.rounds.map(({ decodeMs: _decode, scoreMs: _score, ...round }) => round) };
}
