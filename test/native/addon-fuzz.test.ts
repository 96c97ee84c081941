/** The small fuzz of the addon's arguments; bench/addon-fuzz.ts is the long one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NativeLoad } from '../../src/native/binding-types.js';
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

test('a fuzz that meets an error without a code, or a promise that stays open, says so', async () => {
  const raw = { ...binding, loadBackend: () => assert.fail(new RangeError('raw')) };
  await assert.rejects(
    fuzz({ binding: raw, load: loadTiny, seed: 1, calls: 300 }),
    /error with a code, received RangeError/,
  );
});

test('a progress callback may cancel its load, or begin another', async () => {
  const cancelling: NativeLoad = binding.loadModel(modelOptions(), () => cancelling.cancel());
  await assert.rejects(cancelling.model, { code: 'LOAD_CANCELLED' });
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
  assert.ok(maxDifference(await context.logits(sequence), first.firstLogits) < 1e-4);
  await model.dispose();
});
