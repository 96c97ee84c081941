/** A score held against its threshold, and what is known of that threshold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  judgeAnswer,
  judgePicture,
  overrideThresholds,
  POLICIES,
  type ThresholdsInForce,
} from '../../src/policy/index.js';

const policy = POLICIES.standard;
const calibrated: ThresholdsInForce = {
  thresholds: { unsafeClipScore: 0.2, safeReward: 0.1 },
  thresholdSources: { unsafeClipScore: 'manifest', safeReward: 'manifest' },
  calibratedPrompts: { unsafeClipScore: policy.safetyPrompt, safeReward: policy.postEvaluationPrompt },
  calibratedOn: { unsafeClipScore: 'both', safeReward: 'both' },
};

test('a threshold is hit exactly: from it on a picture is unsafe, above it an answer is safe', () => {
  const rules = { ...calibrated, policy };
  assert.deepEqual(judgePicture(0.2, rules), {
    evaluator: 'clip',
    score: 0.2,
    threshold: 0.2,
    isUnsafe: true,
    isCalibrated: true,
    calibratedOn: 'both',
  });
  assert.equal(judgePicture(0.2 - 1e-9, rules).isUnsafe, false);
  assert.deepEqual(judgeAnswer(0.1, rules), {
    evaluator: 'reward',
    score: 0.1,
    threshold: 0.1,
    isUnsafe: true,
    isCalibrated: true,
    calibratedOn: 'both',
  });
  assert.equal(judgeAnswer(0.1 + 1e-9, rules).isUnsafe, false);
});

test('a number of the caller is not calibrated', () => {
  const rules = { ...overrideThresholds(calibrated, { safeReward: 0.3 }, 'request'), policy };
  assert.equal(judgeAnswer(0.5, rules).isCalibrated, false);
  assert.equal(judgeAnswer(0.5, rules).threshold, 0.3);
  assert.equal(judgePicture(0.5, rules).isCalibrated, true, 'the other one stands');
});

test('the number that is in force stays what it is, whoever names it', () => {
  assert.deepEqual(overrideThresholds(calibrated, { safeReward: 0.1, unsafeClipScore: 0.2 }, 'request'), calibrated);
});

test('a threshold counts as calibrated only under the prompt it was found with', () => {
  const other = { ...policy, safetyPrompt: 'a cat', postEvaluationPrompt: 'Be good.' };
  assert.equal(judgePicture(0, { ...calibrated, policy: other }).isCalibrated, false);
  assert.equal(judgeAnswer(0, { ...calibrated, policy: other }).isCalibrated, false);
  const wide = { ...policy, rewardContext: 'conversation' as const };
  assert.equal(judgeAnswer(0, { ...calibrated, policy: wide }).isCalibrated, false);
  assert.equal(judgePicture(0, { ...calibrated, policy: wide }).isCalibrated, true);
});

test('a threshold that nobody knows judges nothing', () => {
  const unknown = { ...calibrated, thresholds: { unsafeClipScore: null, safeReward: null }, policy };
  for (const judge of [judgePicture, judgeAnswer])
    assert.throws(() => judge(0.5, unknown), { code: 'ERR_NO_THRESHOLD' });
});

test('a judgement is nobody’s to change: who listens and the result share it', () => {
  for (const judge of [judgePicture, judgeAnswer]) {
    const judgement = judge(0.5, { ...calibrated, policy });
    assert.throws(() => Object.assign(judgement, { isUnsafe: false }), TypeError);
  }
});
