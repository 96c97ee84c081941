/** Damaged GGUF files: none ends the process. The whole of it is `npm run fuzz -- gguf`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzGguf, GGUF_NAMES, type GgufName } from './gguf.js';

/** Each ended the process once: assertions in building graphs and in computing, tensors that are not there. */
const ONCE: Readonly<Record<GgufName, readonly number[]>> = {
  tiny: [111, 1155, 1266],
  miniature: [111, 145, 1155],
  'tiny-projector': [2, 7, 40, 73, 139, 156, 166, 277, 279],
  'miniature-projector': [2, 23, 40, 73, 133, 156, 256],
};
const COUNT = 25;

for (const [at, name] of GGUF_NAMES.entries()) {
  test(`${name}: damaged files are refused, or work`, { timeout: 120_000 }, async () => {
    const mutations = [...ONCE[name], ...Array.from({ length: COUNT }, (_, index) => 10_000 + index)];
    const { count, faults, outcomes } = await fuzzGguf(mutations.map((mutation) => mutation * GGUF_NAMES.length + at));
    assert.deepEqual(faults, []);
    assert.equal(count, mutations.length);
    assert.equal(
      Object.values(outcomes).reduce((sum, one) => sum + one, 0),
      count,
    );
    assert.ok((outcomes['loaded'] ?? 0) > 0, 'some damage is harmless');
    assert.ok((outcomes['ERR_MODEL_INVALID'] ?? 0) > COUNT / 2, 'most is refused');
  });
}
