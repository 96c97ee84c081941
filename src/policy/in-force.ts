/** The thresholds that hold for a request, and what is known of each. */

/** Null for one that nobody knows: without that evaluator, or with one that was never calibrated. */
export interface Thresholds {
  /** A picture whose CLIP score is at least this looks unsafe. */
  readonly unsafeClipScore: number | null;
  /** An answer whose reward is above this is safe. */
  readonly safeReward: number | null;
}

/** Where each threshold comes from: "request", "option", "manifest", a file's path, or "none" for one that nobody knows. */
export interface ThresholdSources {
  readonly unsafeClipScore: string;
  readonly safeReward: string;
}

/** The prompt that each threshold was calibrated with; null for one that was not. */
interface CalibratedPrompts {
  readonly unsafeClipScore: string | null;
  readonly safeReward: string | null;
}

export interface ThresholdsInForce {
  readonly thresholds: Thresholds;
  readonly thresholdSources: ThresholdSources;
  readonly calibratedPrompts: CalibratedPrompts;
}

/** Thresholds that a caller gives as numbers. */
export interface GivenThresholds {
  readonly unsafeClipScore?: number | undefined;
  readonly safeReward?: number | undefined;
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
