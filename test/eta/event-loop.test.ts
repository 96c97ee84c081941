/** The event loop keeps turning while an answer is made: no stretch of work on the main thread reaches 50 ms. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { goldenFolder } from '../evaluators/golden.js';
import { collect, loadTiny, QUESTION, UNSAFE } from './tiny.js';

const LIMIT_MS = 50;

/** CPU time of the main thread where Linux tells it, so that a busy machine is not taken for a blocked loop. */
function clockMs(): number {
  if (process.platform !== 'linux') return performance.now();
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** The longest time between two turns of the event loop. */
async function longestStretchMs(work: () => Promise<unknown>): Promise<number> {
  let last = clockMs();
  let longest = 0;
  const turn = () => {
    const now = clockMs();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(turn, 1);
  await work();
  turn();
  clearInterval(timer);
  return longest;
}

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
    const until = clockMs() + 2 * LIMIT_MS;
    while (clockMs() < until);
  });
  assert.ok(longest > LIMIT_MS, `${longest.toFixed(1)} ms`);
});
