/** A short storm of requests that share what they read; `bench/prefix-storm.ts` makes it as long as you like. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { ComingPrefix } from '../../src/engine/coming-prefixes.js';
import { prefixStorm } from './prefix-storm.js';

test('requests that share prompts, pictures and turns get the texts of a fresh context', async () => {
  const counts = await prefixStorm({ requestCount: 300, seed: 1 });
  assert.deepEqual(counts.faults, []);
  assert.ok(counts.finished > 150 && counts.aborted > 0, JSON.stringify(counts));
  assert.ok(
    counts.reused > counts.finished / 2 && counts.cachedTokens > counts.promptTokens / 4,
    JSON.stringify(counts),
  );
  assert.ok(counts.ties <= 1, JSON.stringify(counts));
});

test('a thousand that begin at the same moment share what they read, and get the texts of a fresh context', async () => {
  const wait = mock.method(ComingPrefix.prototype, 'wait');
  const counts = await prefixStorm({ requestCount: 1000, seed: 2, inBursts: true });
  wait.mock.restore();
  assert.deepEqual(counts.faults, []);
  assert.ok(wait.mock.callCount() > 50, `${wait.mock.callCount()} waited`); // how many is the machine's affair
  assert.ok(counts.finished > 500 && counts.aborted > 0, JSON.stringify(counts));
  assert.ok(counts.cachedTokens > counts.promptTokens / 4, JSON.stringify(counts));
  assert.ok(counts.ties <= 3, JSON.stringify(counts));
});
