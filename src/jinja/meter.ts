/**
 * What one rendering of a template may cost. Whatever a template makes or looks through is paid for here before it is made,
 * so that no template holds the thread or fills the memory. Rendering runs from its begin to its end without a break, and so
 * one count serves all who pay.
 */
import { TooManySteps } from './template-error.js';

/**
 * A step is an expression, a value that is compared or printed, eight items of a list, or 64 characters of a text that are
 * made or read. Most templates take 30,000 to 150,000 for a conversation of a thousand
 * turns.
 */
const MOST_STEPS = 2_000_000;
const ITEMS_OF_A_STEP = 8;
const CHARACTERS_OF_A_STEP = 64;

let left = 0;

/** @throws TooManySteps where that is more than is left */
export function spend(steps: number): void {
  left -= steps;
  // Also for what is no number: sizes are products of what a template says.
  if (!(left >= 0)) throw new TooManySteps(`the template takes more than ${MOST_STEPS} steps`);
}

/** For a list, before it is made. */
export function spendItems(count: number): void {
  spend(count / ITEMS_OF_A_STEP);
}

/** For a text, before it is made or read. */
export function spendCharacters(count: number): void {
  spend(count / CHARACTERS_OF_A_STEP);
}

/** Runs what pays, with a count of its own. */
export function metered<Result>(work: () => Result): Result {
  const outer = left;
  left = MOST_STEPS;
  try {
    return work();
  } finally {
    left = outer;
  }
}
