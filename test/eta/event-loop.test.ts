/** The event loop keeps turning while an answer is made: no stretch of work on the main thread reaches 50 ms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goldenFolder } from '../evaluators/golden.js';
import { longestStretchMs, mainThreadMs } from '../stretch.js';
import { collect, loadTiny, QUESTION, UNSAFE } from './tiny.js';

const LIMIT_MS = 50;

test('the event loop turns while ETA answers, aligns and streams', async () => {
  await using eta = await loadTiny({ candidateCount: 5, sentenceTokenLimit: 70, maxTokens: 300 });
  const image = `${goldenFolder}pictures/large.jpg`;
  const request = { ...QUESTION, image, thresholds: UNSAFE, whenStillUnsafe: 'return' as const };
  await eta.respond({ ...request, maxTokens: 5 }); // loads sharp, compiles the code
  const longest = await longestStretchMs(() => collect(eta, request));
  assert.ok(longest < LIMIT_MS, `${longest.toFixed(1)} ms`);
});

test('the check sees a loop that is blocked', async () => {
  const longest = await longestStretchMs(async () => {
    const until = mainThreadMs() + 2 * LIMIT_MS;
    while (mainThreadMs() < until);
  });
  assert.ok(longest > LIMIT_MS, `${longest.toFixed(1)} ms`);
});
