/** What evaluators found, and what was done about it. */
import type { Rung } from './policy.js';
import type { CalibratedOn } from './thresholds.js';

/**
 * Who judged. `clip`: the cosine of a picture and the safety prompt, the highest of all pictures, about 0.1 to 0.35.
 * `reward`: the reward model's score of an answer under the post-evaluation prompt. `decision`: the log-odds of a
 * one-token answer to a question, asked of a guard or of the language model itself.
 */
export type EvaluatorName = 'clip' | 'reward' | 'decision';

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

/** `answered`: the model's own answer. `aligned`: generated again. `refused`: even that was unsafe, a fixed sentence stands in. */
export type Action = 'answered' | 'aligned' | 'refused';

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
