/** Which methods need which threshold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METHODS } from '../../src/policy/index.js';
import { METHOD_PLANS } from '../../src/policy/methods.js';
import { checkThresholds, knownThreshold } from '../../src/policy/thresholds.js';

const none = { unsafeClipScore: null, safeReward: null };

/** Names of the thresholds that are refused as missing when they alone are. */
function needed(method: (typeof METHODS)[number], hasImages: boolean): string[] {
  return (['unsafeClipScore', 'safeReward'] as const).filter((name) => {
    const thresholds = { unsafeClipScore: 0.2, safeReward: 0, [name]: null };
    try {
      checkThresholds(thresholds, { policy: { method, gate: null }, hasImages });
      return false;
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'ERR_NO_THRESHOLD');
      assert.match(String(error), new RegExp(`'${method}'.*thresholds\\.${name}\\.`));
      return true;
    }
  });
}

test('whoever judges needs the reward’s, since what is aligned is judged by it; CLIP’s only beside a picture', () => {
  for (const method of METHODS) {
    const { gatesImage } = METHOD_PLANS[method];
    const withPicture = method === 'vanilla' ? [] : gatesImage ? ['unsafeClipScore', 'safeReward'] : ['safeReward'];
    assert.deepEqual(needed(method, true), withPicture, `${method} with a picture`);
    assert.deepEqual(needed(method, false), method === 'vanilla' ? [] : ['safeReward'], `${method} without`);
  }
});

test('a threshold that nobody knows is null and never compared; 0 is one', () => {
  checkThresholds(none, { policy: { method: 'vanilla', gate: null }, hasImages: true });
  assert.equal(knownThreshold({ unsafeClipScore: 0, safeReward: 0 }, 'safeReward', 'eta'), 0);
  assert.throws(() => knownThreshold(none, 'unsafeClipScore', 'pre'), {
    name: 'ModelError',
    code: 'ERR_NO_THRESHOLD',
    message:
      /threshold of the CLIP model for method 'pre'.*calibrate --safe DIR', where safe ones alone are enough.*Or give thresholds\.unsafeClipScore\./,
  });
});
