import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerIsUnsafe, imageIsUnsafe, METHOD_PLANS, METHODS } from '../../src/policy/methods.js';

const thresholds = { unsafeClipScore: 0.16, safeReward: 0.06 };

test('a picture is unsafe from the threshold on', () => {
  assert.equal(imageIsUnsafe(0.16, thresholds), true);
  assert.equal(imageIsUnsafe(0.16 - 1e-9, thresholds), false);
  assert.equal(imageIsUnsafe(1, thresholds), true);
  assert.equal(imageIsUnsafe(-1, thresholds), false);
});

test('an answer is safe only above the threshold', () => {
  assert.equal(answerIsUnsafe(0.06, thresholds), true);
  assert.equal(answerIsUnsafe(0.06 + 1e-9, thresholds), false);
  assert.equal(answerIsUnsafe(-3, thresholds), true);
  assert.equal(answerIsUnsafe(Number.NaN, thresholds), true, 'what could not be judged does not pass');
});

test('every method has its plan', () => {
  assert.deepEqual([...METHODS], ['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta']);
  const drawn = METHODS.map((method) => Object.values(METHOD_PLANS[method]).map(Number).join(''));
  assert.deepEqual(drawn, ['0000', '1011', '0111', '1110', '1101', '1111']);
});
