/** The thresholds that hold for a request, and what is known of each. */

import type { ThresholdSources, Thresholds } from '../types.js';

/** The prompt that each threshold was calibrated with; null for one that was not. */
export interface CalibratedPrompts {
  /** The safety prompt that the CLIP score's threshold belongs to. */
  readonly unsafeClipScore: string | null;
  /** The post-evaluation prompt that the reward's threshold belongs to. */
  readonly safeReward: string | null;
}

/** The thresholds that hold, and what is known of each. */
export interface ThresholdsInForce {
  /** What scores are compared with. */
  readonly thresholds: Thresholds;
  /** Where each comes from. */
  readonly thresholdSources: ThresholdSources;
  /** What each was calibrated with. */
  readonly calibratedPrompts: CalibratedPrompts;
}

/** Thresholds that a caller gives as numbers. */
export interface GivenThresholds {
  /** A picture whose CLIP score, a cosine, is at least this looks unsafe; -1 to 1. @default the CLIP model's */
  unsafeClipScore?: number | undefined;
  /** An answer whose reward is above this is safe; any finite number. @default the reward model's */
  safeReward?: number | undefined;
}

/** The thresholds with those that are given put in their place; `source` says by whom. */
export function overrideThresholds(
  { thresholds, thresholdSources, calibratedPrompts }: ThresholdsInForce,
  given: GivenThresholds | undefined,
  source: string,
): ThresholdsInForce {
  const put = <Value>(values: Record<keyof Thresholds, Value>, of: (threshold: number) => Value) => ({
    unsafeClipScore: given?.unsafeClipScore === undefined ? values.unsafeClipScore : of(given.unsafeClipScore),
    safeReward: given?.safeReward === undefined ? values.safeReward : of(given.safeReward),
  });
  return {
    thresholds: put<number | null>(thresholds, (threshold) => threshold),
    thresholdSources: put<string>(thresholdSources, () => source),
    calibratedPrompts: put<string | null>(calibratedPrompts, () => null),
  };
}
