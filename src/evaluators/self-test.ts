/** What a model computed of its manifest's self-test. */
export interface SelfTestResult {
  /** Such as "two texts". */
  readonly what: string;
  readonly expected: number;
  readonly received: number;
  /** The distance of the two; NaN where the model returns none. */
  readonly difference: number;
  readonly tolerance: number;
}

export function selfTestResult(what: string, expected: number, received: number, tolerance: number): SelfTestResult {
  return { what, expected, received, difference: Math.abs(received - expected), tolerance };
}
