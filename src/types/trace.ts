/** The way to an answer. */
import type { Gate, Method, PolicyName } from './policy.js';
import type { StopReason } from './stop-reason.js';
import type { ThresholdSources, Thresholds } from './thresholds.js';
import type { Judgement, RungVerdict } from './verdict.js';

/** One sentence proposal of one round. */
export interface CandidateTrace {
  /** The sentence, behind what is accepted. Where a stop text began before it and ends in it, "". */
  readonly text: string;
  /** Its tokens. */
  readonly tokenCount: number;
  /**
   * Reward of everything accepted with this sentence behind it, or its decision, on the scale of whoever judges answers. Null
   * where no decision came of it, though it did of others: then it is not chosen.
   */
  readonly reward: number | null;
  /** Cosine of picture and this sentence; null where the rule does not ask for it. */
  readonly clipScore: number | null;
  /**
   * What the choice is made by: reward + clipWeight × CLIP score / round, or the reward alone where no CLIP score is asked
   * for. Null without a reward.
   */
  readonly utility: number | null;
  /** Whether the answer ends with it: an end-of-generation token closed it, or a stop text. */
  readonly isFinal: boolean;
  /** It was drawn with; derived from the request's seed, the round and its place in it. */
  readonly seed: number;
}

/** One sentence of the search. */
export interface RoundTrace {
  /** From 1. */
  readonly round: number;
  /** Every proposal that was drawn, losers too. */
  readonly candidates: readonly CandidateTrace[];
  /** Index of the accepted candidate. */
  readonly chosen: number;
  /**
   * Proposals that were not drawn, because one of the first helping passed: candidates and these are `candidateCount`.
   * Absent where all were drawn.
   */
  readonly undrawnCount?: number | undefined;
  /** Milliseconds in which the candidates were decoded. */
  readonly decodeMs: number;
  /** Milliseconds in which they were scored. */
  readonly scoreMs: number;
}

/** A sentence of the model's own answer, judged with everything before it. */
export interface SentenceTrace {
  /** As it was given out, the white space before it included; null for one that was found unsafe: no text shows it. */
  readonly text: string | null;
  /** Its tokens. */
  readonly tokenCount: number;
  /** Of the answer up to its end. */
  readonly judgement: Judgement;
}

/** What happened on the way to an answer, ready to draw. */
export interface Trace {
  /** What was to be done for safety. */
  readonly method: Method;
  /** What its options began as: see {@link PolicyName}. */
  readonly policy: PolicyName;
  /** The gate that was named in the place of the method's own; absent where none was. */
  readonly gate?: Gate | undefined;
  /** Null for one that nobody knows; the method did not need it. */
  readonly thresholds: Thresholds;
  /** Where each comes from. */
  readonly thresholdSources: ThresholdSources;
  /**
   * The model's own answer; with a method that never makes one, null. Where a sentence of it was found unsafe on its way
   * out (`release: 'checked'`), what had gone out by then.
   */
  readonly vanillaText: string | null;
  /** Why that one ends; null where there is none, or where it was stopped because a sentence of it was found unsafe. */
  readonly vanillaStopReason: StopReason | null;
  /** The model's own answer sentence by sentence, as it was judged; absent where it did not go out so. */
  readonly sentences?: readonly SentenceTrace[] | undefined;
  /** "" where the method uses none. */
  readonly interferencePrefix: string;
  /** The search, sentence by sentence; empty without one. */
  readonly rounds: readonly RoundTrace[];
  /**
   * The aligned text, what had gone out before it included, also when a refusal replaced it; null when nothing was aligned. Of
   * several that a ladder tried, the last.
   */
  readonly alignedText: string | null;
  /** Why that one ends, also when a refusal replaced it; null when nothing was aligned. */
  readonly alignedStopReason: StopReason | null;
  /**
   * What a ladder tried, in order, the search first: its rounds are {@link Trace.rounds}. Absent where none was climbed; of
   * `ecso` and `steered` their own rung is the first. A rung that does not apply (no picture to caption, no room for its
   * prompt) is none of them.
   */
  readonly rungs?: readonly RungTrace[] | undefined;
}

/** One answer of a ladder. */
export interface RungTrace extends RungVerdict {
  /** What the answer begins with, part of its text; "" for none. */
  readonly prefix: string;
  /** What the model was asked about the picture, in the place of the question; null where it was not. */
  readonly captionPrompt: string | null;
  /** What it said, and answered from; null where it was not asked. */
  readonly caption: string | null;
  /** The whole answer. */
  readonly text: string;
  /** Why it ends where it does. */
  readonly stopReason: StopReason;
  /** Its search behind a prefix, sentence by sentence; empty for one without, and for the first, whose rounds are the trace's. */
  readonly rounds: readonly RoundTrace[];
}
