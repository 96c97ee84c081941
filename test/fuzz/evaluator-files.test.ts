/** Damaged files of evaluators: none ends the process. The whole of it is `npm run fuzz -- evaluator-files`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluatorFiles } from './evaluator-files.js';

const COUNT = 60;

test('damaged graphs, tokenizers and manifests are refused, or work', { timeout: 240_000 }, async () => {
  const { count, faults, outcomes } = await evaluatorFiles.run({ count: COUNT, seed: 100_000 });
  assert.deepEqual(faults, []);
  assert.equal(count, COUNT);
  assert.equal(
    Object.values(outcomes).reduce((sum, one) => sum + one, 0),
    COUNT,
  );
  assert.ok((outcomes['works'] ?? 0) > 0, 'some damage is harmless');
  assert.ok((outcomes['ERR_MODEL_INVALID'] ?? 0) > COUNT / 3, 'most is refused');
});
