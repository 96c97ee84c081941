/** The soak of bench/soak.ts, short: what it leaves behind, not how memory settles. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from '../../bench/soak-run.js';
import { loadEta } from '../../src/index.js';
import { assertFreed } from './tiny.js';

test('a hundred requests of all kinds, some left, stopped or wrong, leave nothing behind and change no answer', async () => {
  await using eta = await loadEta({ models: 'miniature' });
  const { faults, heldCount, outcomes, stopReasons } = await soak(eta, { requestCount: 100, concurrency: 5, seed: 3 });
  assert.deepEqual(faults, []);
  assert.equal(heldCount, 0);
  for (const kind of ['answered', 'aligned', 'refused', 'left early', 'aborted', 'refused with ERR_INVALID_OPTION'])
    assert.ok((outcomes[kind] ?? 0) > 0, `none was ${kind}: ${JSON.stringify(outcomes)}`);
  for (const reason of ['end', 'length', 'refusal'])
    assert.ok((stopReasons[reason] ?? 0) > 0, `none ended by ${reason}: ${JSON.stringify(stopReasons)}`);
  // Every sequence and cell can be had again: a search as wide as the context.
  await eta.respond({ prompt: 'What is this?', candidateCount: 31, maxTokens: 8, sentenceTokenLimit: 8, seed: 1 });
  await assertFreed(eta, 'the soak');
});
