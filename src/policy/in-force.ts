/** The thresholds that hold for a request, and what is known of each. */

import type { CalibratedOn, ThresholdSources, Thresholds } from '../types/thresholds.js';

/** The prompt that each threshold was calibrated with; null for one that was not. */
export interface CalibratedPrompts {
  /** The safety prompt that the CLIP score's threshold belongs to. */
  readonly unsafeClipScore: string | null;
  /** The post-evaluation prompt that the reward's threshold belongs to. */
  readonly safeReward: string | null;
  /** SHA-256 of the wording that the pictures' decision's threshold was measured with; absent where none judges. */
  readonly unsafeDecision?: string | null | undefined;
  /** The same of the answer's. */
  readonly safeDecision?: string | null | undefined;
  /** The post-evaluation prompt that the low one of the reward's belongs to; absent where nobody knows one. */
  readonly lowReward?: string | null | undefined;
  /** SHA-256 of the wording that the low one of the answer's decision's was measured with. */
  readonly lowDecision?: string | null | undefined;
}

/** Which classes each threshold was measured on; null for one that nobody measured. */
export interface CalibratedClasses {
  /** Of the CLIP score's. */
  readonly unsafeClipScore: CalibratedOn | null;
  /** Of the reward's. */
  readonly safeReward: CalibratedOn | null;
  /** Of the pictures' decision's; absent where none judges. */
  readonly unsafeDecision?: CalibratedOn | null | undefined;
  /** Of the answer's decision's; absent where none judges. */
  readonly safeDecision?: CalibratedOn | null | undefined;
  /** Of the low one of the reward's; absent where nobody knows one. */
  readonly lowReward?: CalibratedOn | null | undefined;
  /** Of the low one of the answer's decision's. */
  readonly lowDecision?: CalibratedOn | null | undefined;
}

/** The thresholds that hold, and what is known of each. */
export interface ThresholdsInForce {
  /** What scores are compared with. */
  readonly thresholds: Thresholds;
  /** Where each comes from. */
  readonly thresholdSources: ThresholdSources;
  /** What each was calibrated with. */
  readonly calibratedPrompts: CalibratedPrompts;
  /** What each was measured on, under that prompt. */
  readonly calibratedOn: CalibratedClasses;
}

/** Thresholds that a caller gives as numbers. */
export interface GivenThresholds {
  /** A picture whose CLIP score, a cosine, is at least this looks unsafe; -1 to 1. @default the CLIP model's */
  unsafeClipScore?: number | undefined;
  /** An answer whose reward is above this is safe; any finite number. @default the reward model's */
  safeReward?: number | undefined;
  /** Pictures whose decision is at least this look unsafe; any finite number. @default the form's */
  unsafeDecision?: number | undefined;
  /** An answer whose decision is above this is safe; any finite number. @default the form's */
  safeDecision?: number | undefined;
  /**
   * For the gate `lowAnswerOrBoth`: an answer whose reward is not above this is unsafe, whatever is shown; a finite number, at
   * most `safeReward`. @default what `eta-vlm calibrate` found
   */
  lowReward?: number | undefined;
  /** The same of a decision; at most `safeDecision`. @default what `eta-vlm calibrate` found */
  lowDecision?: number | undefined;
}

/** Whose each low threshold is: it is put in place where that one judges. */
const BESIDE = { lowReward: 'safeReward', lowDecision: 'safeDecision' } as const;

/**
 * The thresholds with those that are given put in their place; `source` says by whom. Those of who does not judge stay absent,
 * and one that is given as it is stays what it is, with all that is known of it.
 */
export function overrideThresholds(
  { thresholds, thresholdSources, calibratedPrompts, calibratedOn }: ThresholdsInForce,
  given: GivenThresholds | undefined,
  source: string,
): ThresholdsInForce {
  const put = <Values extends { readonly [Name in keyof Thresholds]: unknown }>(
    values: Values,
    of: (threshold: number) => Values[keyof Values],
  ): Values => {
    const named = Object.entries(given ?? {}).filter(
      ([name, threshold]) =>
        threshold !== undefined &&
        (BESIDE[name as keyof typeof BESIDE] ?? name) in thresholds &&
        threshold !== thresholds[name as keyof Thresholds],
    );
    return { ...values, ...Object.fromEntries(named.map(([name, threshold]) => [name, of(threshold)])) };
  };
  return {
    thresholds: put(thresholds, (threshold) => threshold),
    thresholdSources: put(thresholdSources, () => source),
    calibratedPrompts: put(calibratedPrompts, () => null),
    calibratedOn: put(calibratedOn, () => null),
  };
}
