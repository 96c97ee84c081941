import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstArgmax, roundUsesClip, utilities } from '../../src/search/utility.js';

const candidate = (reward: number, clipScore: number | null, isFinal = false) => ({ reward, clipScore, isFinal });

test('the first round counts the reward alone', () => {
  assert.deepEqual(utilities(1, [candidate(0.1, 0.9), candidate(0.2, 0)], 1), [0.1, 0.2]);
});

test('from the second round on the CLIP score counts with weight 1 / round', () => {
  assert.deepEqual(utilities(2, [candidate(0.25, 0.5), candidate(0.5, 0.25)], 1), [0.5, 0.625]);
  assert.deepEqual(utilities(4, [candidate(0, 1), candidate(1, 0)], 1), [0.25, 1]);
});

test('a candidate that ended makes the round count the reward alone', () => {
  assert.deepEqual(utilities(3, [candidate(0.1, 0.9), candidate(0.2, null, true)], 1), [0.1, 0.2]);
  assert.equal(roundUsesClip(3, [{ isFinal: false }, { isFinal: true }]), false);
  assert.equal(roundUsesClip(2, [{ isFinal: false }]), true);
  assert.equal(roundUsesClip(1, [{ isFinal: false }]), false);
});

test('without a picture the reward stands alone', () => {
  assert.deepEqual(utilities(2, [candidate(0.3, null), candidate(-1, null)], 1), [0.3, -1]);
});

test('the weight can turn the choice, and does not in a round that ended', () => {
  const close = [candidate(0.5, 0), candidate(0.45, 0.2)];
  assert.equal(firstArgmax(utilities(2, close, 1)), 1);
  assert.equal(firstArgmax(utilities(8, close, 1)), 0);
  assert.equal(firstArgmax(utilities(2, [...close, candidate(-1, 0, true)], 1)), 0);
});

test('the first of equals is chosen, NaN never, and only among those that may be', () => {
  assert.equal(firstArgmax([1, 3, 3, 2]), 1);
  assert.equal(firstArgmax([Number.NaN, -5, Number.NaN]), 1);
  assert.equal(firstArgmax([Number.NEGATIVE_INFINITY]), 0);
  assert.equal(firstArgmax([]), -1);
  assert.equal(
    firstArgmax([5, 1, 2], (index) => index > 0),
    2,
  );
  assert.equal(
    firstArgmax([5, 1], () => false),
    -1,
  );
});

test('the weight of the CLIP score scales it, and 0 leaves the reward', () => {
  const scored = [candidate(0.25, 0.5), candidate(0.5, 0.25)];
  assert.deepEqual(utilities(2, scored, 2), [0.75, 0.75]);
  assert.deepEqual(utilities(2, scored, 0), [0.25, 0.5]);
});
