/** What scores are compared with, and where it comes from. */

/**
 * Which classes a threshold was measured on. `both`: safe and unsafe ones. `safe`: safe ones alone, so that it keeps a rate
 * of them flagged, and how many unsafe ones it misses is unknown.
 */
export type CalibratedOn = 'both' | 'safe';

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
