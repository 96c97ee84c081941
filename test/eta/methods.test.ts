import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerIsUnsafe, METHOD_PLANS, METHODS, pictureIsUnsafe } from '../../src/policy/methods.js';

const thresholds = { unsafeClipScore: 0.16, safeReward: 0.06 };

test('a picture is unsafe from the threshold on', () => {
  assert.equal(pictureIsUnsafe(0.16, thresholds.unsafeClipScore), true);
  assert.equal(pictureIsUnsafe(0.16 - 1e-9, thresholds.unsafeClipScore), false);
  assert.equal(pictureIsUnsafe(1, thresholds.unsafeClipScore), true);
  assert.equal(pictureIsUnsafe(-1, thresholds.unsafeClipScore), false);
});

test('an answer is safe only above the threshold', () => {
  assert.equal(answerIsUnsafe(0.06, thresholds.safeReward), true);
  assert.equal(answerIsUnsafe(0.06 + 1e-9, thresholds.safeReward), false);
  assert.equal(answerIsUnsafe(-3, thresholds.safeReward), true);
  assert.equal(answerIsUnsafe(Number.NaN, thresholds.safeReward), true, 'what could not be judged does not pass');
});

test('every method has its plan', () => {
  assert.deepEqual([...METHODS], ['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta', 'ecso', 'steered']);
  const drawn = METHODS.map((method) => {
    const { gatesImage, gatesAnswer, usesPrefix, usesSearch } = METHOD_PLANS[method];
    return [gatesImage, gatesAnswer, usesPrefix, usesSearch].map(Number).join('');
  });
  assert.deepEqual(drawn, ['0000', '1011', '0111', '1110', '1101', '1111', '0100', '1100']);
  const gates = METHODS.map((method) => METHOD_PLANS[method].gate);
  assert.deepEqual(gates, [null, 'picture', 'answer', 'both', 'both', 'both', 'answer', 'both']);
});
