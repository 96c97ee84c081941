/** What a self-test lets pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSelfTest, selfTestResult } from '../../src/manifest/index.js';

const check = (received: number, device = 'cpu') =>
  checkSelfTest('Tiny', 'cosine', [selfTestResult('two texts', 0.5, received, 0.25)], device);

test('what is off by the tolerance passes, on either side; by more, and what is no number, does not', () => {
  for (const received of [0.5, 0.25, 0.75]) check(received);
  for (const received of [0.24, 0.76, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => check(received), {
      name: 'ModelError',
      code: 'ERR_SELF_TEST',
      message: new RegExp(
        `^Tiny: expected the cosine 0\\.5 \\(within 0\\.25\\) of two texts .* received ${received}:.*again\\.$`,
      ),
    });
  }
});

test('one that is wrong among others is found, and on a device the CPU is named', () => {
  const right = selfTestResult('two texts', 0.5, 0.5, 0.25);
  const wrong = selfTestResult('a text and a picture', 0.5, Number.NaN, 0.25);
  assert.throws(() => checkSelfTest('Tiny', 'cosine', [right, wrong, right], 'cuda'), {
    message: /of a text and a picture .*On cuda .*evaluatorDevice: 'cpu'/,
  });
  checkSelfTest('Tiny', 'cosine', [right, right], 'cuda');
});
