/** The small fuzz of the addon's arguments; bench/addon-fuzz.ts is the long one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { NativeLoad } from '../../src/native/model-types.js';
import { assertNear } from '../device.js';
import { fuzz } from './addon-fuzz.js';
import { binding, contextOptions, golden, loadTiny, maxDifference, modelOptions, prefilled } from './fixture.js';

for (const seed of [1, 2, 3]) {
  test(`anything at all, seed ${seed}: an error with a code, and never an end or a hang`, {
    timeout: 120_000,
  }, async () => {
    const counts = await fuzz({ binding, load: loadTiny, seed, calls: 1500 });
    for (const [name, count] of Object.entries(counts)) assert.ok(count > 0, `${name}: ${JSON.stringify(counts)}`);
  });
}

test('worker threads that are ended in the middle of it leave nothing behind', { timeout: 120_000 }, async () => {
  for (let round = 1; round <= 8; round++) {
    const worker = new Worker(new URL('./fuzz-worker.mjs', import.meta.url), { workerData: round });
    const failed = new Promise((_, reject) => worker.once('error', reject));
    await Promise.race([once(worker, 'message'), failed]);
    await Promise.race([sleep(7 * round), failed]);
    await worker.terminate();
  }
});

test('a fuzz that meets an error without a code, or a promise that stays open, says so', async () => {
  const raw = { ...binding, loadBackend: () => assert.fail(new RangeError('raw')) };
  await assert.rejects(
    fuzz({ binding: raw, load: loadTiny, seed: 1, calls: 300 }),
    /error with a code, received RangeError/,
  );
});

test('a progress callback may cancel its load, or begin another', async () => {
  const cancelling: NativeLoad = binding.loadModel(modelOptions(), () => cancelling.cancel());
  // The tiny model may be there before anybody hears of its first tensor.
  await cancelling.model.then(
    (model) => model.dispose(),
    (error) => assert.equal(error.code, 'CANCELLED'),
  );
  const inner: NativeLoad[] = [];
  const outer = binding.loadModel(modelOptions(), () => {
    if (inner.length === 0) inner.push(binding.loadModel(modelOptions(), () => undefined));
  });
  await (await outer.model).dispose();
  const [load] = inner;
  await (await load?.model)?.dispose();
  load?.cancel();
});

test('behind it the addon computes as ever', async () => {
  const model = await loadTiny();
  const context = await model.createContext(contextOptions());
  const [first] = golden.text;
  assert.ok(first !== undefined);
  const sequence = await prefilled(context, [Int32Array.from(first.tokens)]);
  assertNear(maxDifference(await context.logits(sequence), first.firstLogits), 1e-4, 'reference');
  await model.dispose();
});
