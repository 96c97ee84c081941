/** What a request comes to: its answer, and what that took. */
import type { StopReason } from './stop-reason.js';
import type { Trace } from './trace.js';
import type { Verdict } from './verdict.js';

/** Counts of tokens; prompt tokens include those of pictures. All prompts count that were read, a ladder's too. */
export interface Usage {
  /** Tokens of the prompt, its pictures' and the chat template's included. */
  readonly promptTokenCount: number;
  /** Those of its pictures. */
  readonly imageTokenCount: number;
  /** Those of the prompt that another request had read, or was reading just then, and that were not computed again. */
  readonly cachedTokenCount: number;
  /** Tokens of the returned text. */
  readonly answerTokenCount: number;
  /** Every sampled token, those of rejected candidates included. */
  readonly sampledTokenCount: number;
  /** Candidates that the search drew, in all rounds; 0 without one. */
  readonly candidateCount: number;
  /** Candidates that it did not draw, because one of a round's first helping passed. */
  readonly undrawnCandidateCount: number;
  /** Tokens run through the reward model, or for decisions. */
  readonly rewardTokenCount: number;
  /** Tokens that kept caches saved there. */
  readonly rewardCachedTokenCount: number;
}

/** Milliseconds of wall time by phase; phases may overlap, so they need not add up to `totalMs`. */
export interface Timings {
  /**
   * Picture files to pixels: read, and decoded where no earlier request had the same file. Where the pixels of a known one are
   * wanted after all, decoding it counts to the phase that wants them.
   */
  readonly imageDecodeMs: number;
  /** CLIP, of pictures and of candidates; or the decision about pictures. */
  readonly clipMs: number;
  /** Pictures and prompt into the cache, the picture encoder included. */
  readonly prefillMs: number;
  /** The model's own answer. */
  readonly vanillaMs: number;
  /** The reward model, or decisions, of answers and of candidates. */
  readonly rewardMs: number;
  /** The aligned answer, its candidates' scores included. */
  readonly alignMs: number;
  /** From the request to the first character given out. */
  readonly firstTextMs: number;
  /** From the request to the result. */
  readonly totalMs: number;
}

/** An answer and how it came about. */
export interface EtaResult {
  /** The answer. */
  readonly text: string;
  /** Why the text ends where it does: `length` and `context` say that it was cut. */
  readonly stopReason: StopReason;
  /** What was found and done. */
  readonly verdict: Verdict;
  /** How it came to that, step by step. */
  readonly trace: Trace;
  /** What it took, in tokens. */
  readonly usage: Usage;
  /** What it took, in milliseconds. */
  readonly timings: Timings;
  /** Name of the language model. */
  readonly model: string;
  /** What was drawn from, by the search and by `answerTemperature`; the request's, or the one that was drawn for it. */
  readonly seed: number;
}
