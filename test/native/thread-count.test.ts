/**
 * The number of threads that is measured while it runs comes near the best that somebody could have chosen, on machines
 * that are made up: on a real one the answer would be another each time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { program } from './program.js';

/** By steps: at first there is something to learn, the more the further the best number is from all of them. */
const MOST: Readonly<Record<string, readonly [number, number, number]>> = {
  'a large model on two cores': [1.1, 1.1, 1.05],
  'a small model on two cores': [1.1, 1.1, 1.05],
  'beside a busy core of two': [1.1, 1.1, 1.05],
  'a large model on eight cores': [1.1, 1.1, 1.05],
  'beside a busy core of eight': [1.1, 1.1, 1.05],
  'a small model on eight cores': [2.5, 1.3, 1.1],
  'a small model on sixty-four cores': [6, 2, 1.15],
  // Faster than any number that stays.
  'a neighbour that comes and goes': [1.1, 0.95, 0.95],
};

test('near the best number, soon where few are to be tried, and always in the long run', async () => {
  // Time against the best fixed number, by machine and steps.
  const lines = await program('thread-count');
  const ratios = new Map(lines.map(([machine, steps, ratio]) => [`${machine}, ${steps} steps`, Number(ratio)]));
  for (const [name, most] of Object.entries(MOST)) {
    for (const [index, steps] of [50, 300, 3000].entries()) {
      const ratio = ratios.get(`${name}, ${steps} steps`) ?? Number.NaN;
      assert.ok(ratio < (most[index] ?? 0), `${name}, ${steps} steps: ${ratio}`);
    }
  }
});
