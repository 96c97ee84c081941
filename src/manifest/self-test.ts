/** What a model must compute again before it is believed. */
import { ModelError } from '../errors.js';

/** A test's expected number and what a model may be off by. */
export interface Expectation {
  readonly expected: number;
  readonly tolerance: number;
}

/** Of a manifest whose self-test proves nothing. */
export const PROVES_NOTHING =
  'expected a self-test that no single number passes, received one that a constant does: at least two expected values must lie further apart than their tolerances together';

/** Whether no single number is within every tolerance: a graph that says the same of everything must not pass. */
export function tellsApart(tests: readonly Expectation[]): boolean {
  const highest = Math.max(...tests.map(({ expected, tolerance }) => expected - tolerance));
  const lowest = Math.min(...tests.map(({ expected, tolerance }) => expected + tolerance));
  return highest > lowest;
}

const FILES = 'The files do not belong together or this machine computes wrongly: fetch or export the model again.';
const CPU = "load it with evaluatorDevice: 'cpu'.";

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

/**
 * @param score what the numbers are: "cosine" or "reward"
 * @param device where they were computed
 * @throws ModelError ERR_SELF_TEST for the first that is off by more than its tolerance, NaN included
 */
export function checkSelfTest(model: string, score: string, results: readonly SelfTestResult[], device: string): void {
  for (const { what, expected, received, difference, tolerance } of results) {
    if (difference <= tolerance) continue;
    throw new ModelError(
      'ERR_SELF_TEST',
      `${model}: expected the ${score} ${expected} (within ${tolerance}) of ${what} of its self-test, ` +
        `received ${received}: off by ${difference.toPrecision(3)}. ${device === 'cpu' ? FILES : `On ${device} it computes too differently: ${CPU}`}`,
    );
  }
}
