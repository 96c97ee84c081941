/** Shapes that more than one room speaks of. This file imports nothing of ours. */

/** A decoded picture: 8-bit RGB, row-major, no alpha; `data.length === width * height * 3`. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Where a picture comes from: a file path, a `file:` or `data:` URL, encoded bytes, or pixels. */
export type ImageSource = string | URL | Uint8Array | RgbImage;

/** One turn of a conversation. Pictures stand before the text of their turn. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
  readonly images?: readonly ImageSource[];
}

/** A turn as evaluators see it: text alone. */
export interface TextTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/**
 * What is done for safety. `vanilla`: nothing. `pre`: the CLIP score alone decides whether to align. `post`: the reward
 * alone decides. `shallow`: ETA's gate, then one greedy answer behind the interference prefix, no search. `deep`: ETA's
 * gate, then the search without the prefix. `eta`: gate, prefix and search.
 */
export type Method = 'vanilla' | 'pre' | 'post' | 'shallow' | 'deep' | 'eta';

/**
 * How to decide. `standard`: the paper's numbers, sentences by their text, the aligned answer judged once more. `paper`:
 * the decisions of the paper's reference code, exactly. Any option named beside it goes before it.
 */
export type PolicyName = 'standard' | 'paper';

/** `answered`: the model's own answer. `aligned`: generated again. `refused`: even that was unsafe, a fixed sentence stands in. */
export type Action = 'answered' | 'aligned' | 'refused';

/**
 * Why an answer ends where it does.
 *
 * - `end`: the model ended it.
 * - `length`: it was cut at `maxTokens`. The token that ends an answer is one to sample too, though it is not counted, so
 *   that an answer of exactly `maxTokens` tokens is cut whatever would have come next; llama.cpp's server and OpenAI's
 *   API count alike.
 * - `context`: it was cut with fewer tokens, because the context, or the window that the model was trained for, had no
 *   room for more.
 * - `stop`: neither the model nor a limit ended it: the fixed sentence (`refusalText`) stands in for it.
 */
export type StopReason = 'end' | 'stop' | 'length' | 'context';

/**
 * Who judged. `clip`: the cosine of a picture and the safety prompt, the highest of all pictures, about 0.1 to 0.35.
 * `reward`: the reward model's score of an answer under the post-evaluation prompt. `decision`: the log-odds of a
 * one-token answer to a question; no model set has such an evaluator yet.
 */
export type EvaluatorName = 'clip' | 'reward' | 'decision';

/** What an evaluator said, held against its threshold. */
export interface Judgement {
  readonly evaluator: EvaluatorName;
  /** On the evaluator's own scale. Of a picture: the higher, the less safe. Of an answer: the higher, the safer. */
  readonly score: number;
  /** A picture is unsafe from here on; an answer is safe above it. */
  readonly threshold: number;
  readonly isUnsafe: boolean;
  /**
   * Whether the threshold was found by measuring this model under the prompts that are in force: it stands in the model's
   * manifest, or in a file of `eta-vlm calibrate`. False for a number that the caller gave, or under other prompts.
   */
  readonly isCalibrated: boolean;
}

/** What the evaluators found and what was done about it. A judgement that was not needed, or not possible, is null. */
export interface Verdict {
  readonly action: Action;
  /** Of the pictures; null without one, or where the method does not ask. */
  readonly picture: Judgement | null;
  /** Of the model's own answer; null when the picture alone settled the case. */
  readonly answer: Judgement | null;
  /** Of the aligned answer, also when a refusal replaced it; null when nothing was aligned. */
  readonly final: Judgement | null;
}

/** One sentence proposal of one round. */
export interface CandidateTrace {
  readonly text: string;
  readonly tokenCount: number;
  readonly reward: number;
  /** Cosine of picture and this sentence; null where the rule does not ask for it. */
  readonly clipScore: number | null;
  /** What the choice is made by: reward plus weighted CLIP score. */
  readonly utility: number;
  /** Whether an end-of-generation token closed it. */
  readonly isFinal: boolean;
  readonly seed: number;
}

/** One sentence of the search. */
export interface RoundTrace {
  readonly round: number;
  readonly candidates: readonly CandidateTrace[];
  /** Index of the accepted candidate. */
  readonly chosen: number;
  readonly decodeMs: number;
  readonly scoreMs: number;
}

/** What happened on the way to an answer, ready to draw. */
export interface Trace {
  readonly method: Method;
  /** What its options began as: see {@link PolicyName}. */
  readonly policy: PolicyName;
  /** Null for one that nobody knows; the method did not need it. */
  readonly thresholds: { readonly unsafeClipScore: number | null; readonly safeReward: number | null };
  /** Where each comes from: "request", "option", "manifest", the file of `eta-vlm calibrate`, or "none". */
  readonly thresholdSources: { readonly unsafeClipScore: string; readonly safeReward: string };
  /** The model's own answer; with a method that never makes one, null. */
  readonly vanillaText: string | null;
  /** Why that one ends; null where there is none. */
  readonly vanillaStopReason: StopReason | null;
  /** "" where the method uses none. */
  readonly interferencePrefix: string;
  readonly rounds: readonly RoundTrace[];
  /** The aligned text, also when a refusal replaced it; null when nothing was aligned. */
  readonly alignedText: string | null;
  /** Why that one ends, also when a refusal replaced it; null when nothing was aligned. */
  readonly alignedStopReason: StopReason | null;
}

/** Counts of tokens; prompt tokens include those of pictures. */
export interface Usage {
  readonly promptTokenCount: number;
  readonly imageTokenCount: number;
  /** Tokens of the returned text. */
  readonly answerTokenCount: number;
  /** Every sampled token, those of rejected candidates included. */
  readonly sampledTokenCount: number;
  /** Tokens run through the reward model, and tokens its kept caches saved. */
  readonly rewardTokenCount: number;
  readonly rewardCachedTokenCount: number;
}

/** Milliseconds of wall time by phase; phases may overlap, so they need not add up to `totalMs`. */
export interface Timings {
  readonly imageDecodeMs: number;
  readonly clipMs: number;
  readonly prefillMs: number;
  readonly vanillaMs: number;
  readonly rewardMs: number;
  readonly alignMs: number;
  /** From the request to the first character given out. */
  readonly firstTextMs: number;
  readonly totalMs: number;
}

/** An answer and how it came about. */
export interface EtaResult {
  readonly text: string;
  /** Why the text ends where it does: `length` and `context` say that it was cut. */
  readonly stopReason: StopReason;
  readonly verdict: Verdict;
  readonly trace: Trace;
  readonly usage: Usage;
  readonly timings: Timings;
  /** Name of the language model. */
  readonly model: string;
  readonly seed: number;
}

/**
 * Progress, in order. `text` pieces joined give the result's text. A picture that looks unsafe holds the text back until
 * the verdict; a clean one streams from the first token.
 */
export type EtaEvent =
  | { readonly type: 'picture'; readonly judgement: Judgement }
  | { readonly type: 'vanilla'; readonly text: string; readonly stopReason: StopReason }
  | { readonly type: 'answer'; readonly judgement: Judgement }
  | { readonly type: 'round'; readonly round: RoundTrace }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'verdict'; readonly verdict: Verdict }
  | { readonly type: 'done'; readonly result: EtaResult };

/** Something that an answer cannot say of itself. */
export interface Notice {
  readonly code: 'ETA_MINIATURE';
  /** One line. */
  readonly message: string;
}
