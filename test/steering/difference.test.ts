/** A raw difference of means, against numbers that were worked out by hand, and against noise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceOf, MeanState } from '../../src/steering/index.js';

function meanOf(states: readonly (readonly number[])[]): MeanState {
  const mean = new MeanState(states[0]?.length ?? 2);
  for (const state of states) mean.add(Float32Array.from(state));
  return mean;
}

test('the mean of one set less that of the other, with its length and those of the means', () => {
  const refused = meanOf([
    [4, 0],
    [2, 6],
    [3, 3],
  ]);
  const answered = meanOf([[0, -1]]);
  const found = differenceOf(refused, answered, 7);
  assert.deepEqual(found.vector, { layer: 7, values: Float32Array.of(3, 4) });
  assert.deepEqual([found.norm, found.answeredNorm, found.refusedCount, found.answeredCount], [5, 1, 3, 1]);
  assert.ok(Math.abs(found.refusedNorm - Math.sqrt(18)) < 1e-12);
  assert.equal(found.halvesCosine, null, 'one state has no halves');
});

test('halves are the even and the odd states: alike for a direction, not alike for noise', () => {
  const answered = meanOf([
    [0, 0],
    [0, 0],
  ]);
  const halves = (states: readonly (readonly number[])[]) => differenceOf(meanOf(states), answered, 1).halvesCosine;
  assert.ok(
    Math.abs(
      (halves([
        [1, 0],
        [0, 1],
        [1, 0],
        [0, 1],
        [1, 0],
      ]) ?? 1) - 0,
    ) < 1e-12,
    'at right angles',
  );
  assert.ok(
    Math.abs(
      (halves([
        [1, 2],
        [2, 4],
      ]) ?? 0) - 1,
    ) < 1e-12,
    'one direction',
  );
  // Of a seeded generator: with a shift they agree, without one they do not.
  let seed = 1;
  const draw = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32 - 0.5;
  };
  const noise = (shift: number) =>
    meanOf(Array.from({ length: 40 }, () => Array.from({ length: 256 }, (_, at) => draw() + (at === 3 ? shift : 0))));
  const cosine = (shift: number) => differenceOf(noise(shift), noise(0), 1).halvesCosine ?? Number.NaN;
  assert.ok(cosine(10) > 0.95);
  assert.ok(Math.abs(cosine(0)) < 0.3, 'the control: noise');
});

test('sets that do not differ, or are empty, give none', () => {
  const one = () => meanOf([[1, 2]]);
  const refused = { code: 'ERR_INVALID_REQUEST', message: /whose states differ/ };
  assert.throws(() => differenceOf(one(), one(), 1), refused);
  assert.throws(() => differenceOf(one(), new MeanState(2), 1), refused);
});
