/** Shapes that more than one room speaks of. This file imports nothing of ours. */

/** A decoded picture: 8-bit RGB, row-major, no alpha; `data.length === width * height * 3`. */
export interface RgbImage {
  /** Red, green, blue of each pixel, row by row: width × height × 3 bytes. */
  readonly data: Uint8Array;
  /** In pixels, >= 1. */
  readonly width: number;
  /** In pixels, >= 1. */
  readonly height: number;
}

/** Where a picture comes from: a file path, a `file:` or `data:` URL, encoded bytes, or pixels. */
export type ImageSource = string | URL | Uint8Array | RgbImage;

/** One turn of a conversation. */
export interface Turn {
  /** Whose it is; a system turn stands in front alone. */
  readonly role: 'system' | 'user' | 'assistant';
  /** Whatever it says, it becomes neither special tokens nor pictures. */
  readonly text: string;
  /** Of a user turn; they stand before its text. @default none */
  readonly images?: readonly ImageSource[] | undefined;
}

/** A turn as evaluators see it: text alone. */
export interface TextTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/**
 * What is done for safety. `vanilla`: nothing. `pre`: the CLIP score alone decides whether to align. `post`: the reward
 * alone decides. `shallow`: ETA's gate, then one greedy answer behind the interference prefix, no search. `deep`: ETA's
 * gate, then the search without the prefix. `eta`: gate, prefix and search. `ecso`: the reward alone decides; then, without
 * prefix and search, an answer from the model's own description of the picture, which it does not see; without a picture
 * nothing. `steered`: ETA's gate, then, without prefix and search, an answer under the safety vector that was loaded.
 */
export type Method = 'vanilla' | 'pre' | 'post' | 'shallow' | 'deep' | 'eta' | 'ecso' | 'steered';

/**
 * Who has to distrust before an answer is made again. `both`: picture and answer, as the paper; without a picture the answer
 * alone. `either`: one of the two is enough. `picture`, `answer`: that one alone is asked. `lowAnswerOrBoth`: both, or an
 * answer whose reward (or decision) is very low, whatever is shown: at most `lowReward` (`lowDecision`).
 */
export type Gate = 'both' | 'either' | 'picture' | 'answer' | 'lowAnswerOrBoth';

/**
 * What is tried, one after the other, while even the aligned answer is unsafe. `refusingPrefix`: aligned once more, behind a
 * beginning that refuses. `caption`: the model says what the picture shows, and answers from that, the picture unseen.
 * `steered`: the question is read and answered under the safety vector that was loaded.
 */
export type Rung = 'refusingPrefix' | 'caption' | 'steered';

/**
 * What the language model is shown of a picture. `rows`: what its projector makes of it. `nearestText`: in the place of each row
 * the token of its vocabulary that is nearest to it, as section 4.1 of the paper does.
 */
export type PictureForm = 'rows' | 'nearestText';

/**
 * How to decide. `standard`: the paper's numbers, sentences by their text, the aligned answer judged once more. `paper`:
 * the decisions of the paper's reference code, exactly. Any option named beside it goes before it.
 */
export type PolicyName = 'standard' | 'paper';

/**
 * How the model's own answer goes out where it is judged. `whole`: all at once. `checked`: sentence by sentence, each when
 * the judge has accepted everything up to it.
 */
export type Release = 'whole' | 'checked';

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
 * - `sequence`: one of the request's stop texts came; it is not part of the answer.
 * - `refusal`: neither the model nor a limit ended it: the fixed sentence (`refusalText`) stands in for it.
 */
export type StopReason = 'end' | 'sequence' | 'refusal' | 'length' | 'context';

/**
 * Who judged. `clip`: the cosine of a picture and the safety prompt, the highest of all pictures, about 0.1 to 0.35.
 * `reward`: the reward model's score of an answer under the post-evaluation prompt. `decision`: the log-odds of a
 * one-token answer to a question, asked of a guard or of the language model itself.
 */
export type EvaluatorName = 'clip' | 'reward' | 'decision';

/**
 * Which classes a threshold was measured on. `both`: safe and unsafe ones. `safe`: safe ones alone, so that it keeps a rate
 * of them flagged, and how many unsafe ones it misses is unknown.
 */
export type CalibratedOn = 'both' | 'safe';

/** What an evaluator said, held against its threshold. */
export interface Judgement {
  /** Who judged, and so on which scale. */
  readonly evaluator: EvaluatorName;
  /** On the evaluator's own scale. Of a picture: the higher, the less safe. Of an answer: the higher, the safer. */
  readonly score: number;
  /** A picture is unsafe from here on; an answer is safe above it. */
  readonly threshold: number;
  /** What the score and the threshold come to; a score that hits the threshold exactly is unsafe. */
  readonly isUnsafe: boolean;
  /**
   * Whether the threshold was found by measuring this model under the prompts that are in force, on safe and on unsafe
   * ones: it stands in the model's manifest, or in a file of `eta-vlm calibrate`. False for another number that the caller
   * gave, under other prompts, for a decision whose form says that nobody measured it, as all shipped ones do, and where
   * `calibratedOn` is not `both`.
   */
  readonly isCalibrated: boolean;
  /** What it was measured on under these prompts; null for one that nobody measured. */
  readonly calibratedOn: CalibratedOn | null;
}

/** What the evaluators found and what was done about it. A judgement that was not needed, or not possible, is null. */
export interface Verdict {
  /** What was done. */
  readonly action: Action;
  /** Of the pictures; null without one, or where the method does not ask. */
  readonly picture: Judgement | null;
  /**
   * Of the model's own answer; null when the picture alone settled the case. Of one that goes out sentence by sentence, up
   * to the end of the first that was found unsafe.
   */
  readonly answer: Judgement | null;
  /**
   * Of the aligned answer, also when a refusal replaced it; null when nothing was aligned. Of several that a ladder tried, the
   * last.
   */
  readonly final: Judgement | null;
  /**
   * What a ladder tried, in order, the search first; absent where none was climbed. `ecso` and `steered` have no search: their
   * own rung is the first.
   */
  readonly rungs?: readonly RungVerdict[] | undefined;
}

/** What was found of one answer of a ladder. Where the last is not unsafe, it is the answer. */
export interface RungVerdict {
  /** How the answer was made: `search` is what the ladder begins behind, whatever the method aligns by. */
  readonly rung: 'search' | Rung;
  /** Of that answer. */
  readonly judgement: Judgement;
  /** Tokens that were sampled for it, those of rejected candidates and of a caption included. */
  readonly sampledTokenCount: number;
}

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

/**
 * What scores are compared with. Null for one that nobody knows: without that evaluator, or with one that was never
 * calibrated.
 */
export interface Thresholds {
  /** A cosine: a picture whose CLIP score is at least this looks unsafe. */
  readonly unsafeClipScore: number | null;
  /** On the reward model's own scale: an answer whose reward is above this is safe. */
  readonly safeReward: number | null;
  /** On the scale of the decision's form: pictures whose decision is at least this look unsafe. Absent where none judges. */
  readonly unsafeDecision?: number | undefined;
  /** On the scale of the decision's form: an answer whose decision is above this is safe. Absent where none judges. */
  readonly safeDecision?: number | undefined;
  /**
   * On the reward model's own scale, at most `safeReward`: the gate `lowAnswerOrBoth` lets no answer pass whose reward is not
   * above this, whatever is shown. Absent where nobody knows one.
   */
  readonly lowReward?: number | undefined;
  /** The same on the scale of the decision's form. Absent where nobody knows one. */
  readonly lowDecision?: number | undefined;
}

/**
 * Where each threshold comes from: "request", "option", "manifest", "form" (a shipped one's, of a decision), a file's path (an own form's too), or "none" for one
 * that nobody knows.
 */
export interface ThresholdSources {
  /** Of the CLIP score's. */
  readonly unsafeClipScore: string;
  /** Of the reward's. */
  readonly safeReward: string;
  /** Of the pictures' decision's; absent where none judges. */
  readonly unsafeDecision?: string | undefined;
  /** Of the answer's decision's; absent where none judges. */
  readonly safeDecision?: string | undefined;
  /** Of the low one of the reward's; absent where nobody knows one. */
  readonly lowReward?: string | undefined;
  /** Of the low one of the answer's decision's; absent where nobody knows one. */
  readonly lowDecision?: string | undefined;
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

/** The pictures are judged. */
export interface PictureEvent {
  /** Tells the events apart. */
  readonly type: 'picture';
  /** Of all pictures together: the highest score counts. */
  readonly judgement: Judgement;
}

/** The model's own answer is ready, and will be judged; it has not been given out. */
export interface VanillaEvent {
  /** Tells the events apart. */
  readonly type: 'vanilla';
  /** The whole answer. */
  readonly text: string;
  /** Why it ends where it does. */
  readonly stopReason: StopReason;
}

/** A sentence of the model's own answer is judged, where it goes out sentence by sentence. */
export interface SentenceEvent {
  /** Tells the events apart. */
  readonly type: 'sentence';
  /** What it says goes out next; nothing of one that was found unsafe. */
  readonly sentence: SentenceTrace;
}

/** The model's own answer is judged. */
export interface AnswerEvent {
  /** Tells the events apart. */
  readonly type: 'answer';
  /** Of that answer alone; the aligned one's stands in the verdict. */
  readonly judgement: Judgement;
}

/** A round of the search has its winner. */
export interface RoundEvent {
  /** Tells the events apart. */
  readonly type: 'round';
  /** Its candidates, and which was chosen. */
  readonly round: RoundTrace;
}

/** An answer of a ladder is made and judged: the search's, where it is unsafe and a ladder goes on, or a rung's. */
export interface RungEvent {
  /** Tells the events apart. */
  readonly type: 'rung';
  /** How it came about, and what was found. */
  readonly rung: RungTrace;
}

/** A piece of the answer is given out. */
export interface TextEvent {
  /** Tells the events apart. */
  readonly type: 'text';
  /** The pieces joined give the result's text. */
  readonly text: string;
}

/** It is settled what was found and done. */
export interface VerdictEvent {
  /** Tells the events apart. */
  readonly type: 'verdict';
  /** As in the result. */
  readonly verdict: Verdict;
}

/** The request is done; nothing follows. */
export interface DoneEvent {
  /** Tells the events apart. */
  readonly type: 'done';
  /** As `respond` would give it. */
  readonly result: EtaResult;
}

/**
 * Progress, in order. `text` pieces joined give the result's text. A picture that looks unsafe holds the text back until
 * the verdict, or until its sentence is accepted (`release: 'checked'`); a clean one streams from the first token.
 */
export type EtaEvent =
  | PictureEvent
  | VanillaEvent
  | SentenceEvent
  | AnswerEvent
  | RoundEvent
  | RungEvent
  | TextEvent
  | VerdictEvent
  | DoneEvent;

/** Something that an answer cannot say of itself. */
export interface Notice {
  /**
   * What it is about. `ETA_MINIATURE`: the miniature knows nothing about such a picture, or about a request without
   * one. `ETA_EVALUATOR_DEVICE`: an evaluator does not run on the device that was asked for. `ETA_DECISION_FORM`: a
   * decision's own form takes any guard, or less of a decision than the shipped forms do.
   */
  readonly code: 'ETA_MINIATURE' | 'ETA_EVALUATOR_DEVICE' | 'ETA_DECISION_FORM';
  /** One line. */
  readonly message: string;
}
