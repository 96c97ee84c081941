/** Sampling parameters and seeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deriveSeed,
  deriveSeedOver,
  GREEDY,
  nativeSampler,
  randomSeed,
  samplerSchema,
} from '../../src/engine/sampler.js';
import { UsageError } from '../../src/errors.js';
import { parseOptions } from '../../src/options.js';

test('defaults are greedy, and a seed that nobody chose is random', () => {
  const parsed = parseOptions(samplerSchema, GREEDY, 'sampler');
  assert.deepEqual(parsed, { temperature: 0, topK: 0, topP: 1, minP: 0 });
  const seeds = new Set(Array.from({ length: 20 }, () => nativeSampler(parsed, false).seed));
  assert.ok(seeds.size > 15);
  assert.deepEqual(nativeSampler({ ...parsed, seed: 0 }, true), { ...parsed, seed: 0, wantsLogProbabilities: true });
  assert.ok(randomSeed() >= 0 && randomSeed() <= 0xffffffff);
});

test('what is out of range is named', () => {
  for (const [options, message] of [
    [{ temperature: -1 }, /temperature: expected a number >= 0; received -1/],
    [{ temperature: Number.NaN }, /temperature/],
    [{ temperature: Number.POSITIVE_INFINITY }, /temperature/],
    [{ topK: 1.5 }, /topK: expected an integer/],
    [{ topP: 0 }, /topP: expected a number in \(0, 1\]/],
    [{ minP: 2 }, /minP/],
    [{ seed: -1 }, /seed: expected an integer from 0 to 4294967295/],
    [{ seed: 2 ** 32 }, /seed/],
    [{ topk: 5 }, /unknown option 'topk'. Did you mean 'topK'/],
  ] as const) {
    assert.throws(
      () => parseOptions(samplerSchema, options as unknown, 'sampler'),
      (error: unknown) => error instanceof UsageError && message.test(error.message),
      JSON.stringify(options),
    );
  }
});

test('derived seeds are those of FNV-1a and the mixer of MurmurHash3: another version draws the same', () => {
  // Made with another program.
  const seeds = [
    deriveSeed(0),
    deriveSeed(7, 1, 2),
    deriveSeed(4_294_967_295, 300, 0),
    deriveSeed(11, 0, 0),
    deriveSeed(123_456_789, 65_536, 255),
  ];
  assert.deepEqual(seeds, [1_234_692_987, 2_598_797_772, 2_114_670_232, 91_150_113, 1_978_315_493]);
  assert.equal(deriveSeedOver(7, Int32Array.of(1, 2)), deriveSeed(7, 1, 2));
  assert.equal(typeof deriveSeedOver(7, new Int32Array(200_000)), 'number', 'more than arguments may be');
});

test('the ends of each range are taken', () => {
  for (const options of [
    { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 },
    { temperature: 1e6, topK: 1e6, topP: 1e-9, minP: 1, seed: 2 ** 32 - 1 },
  ])
    assert.deepEqual(parseOptions(samplerSchema, options as unknown, 'sampler'), options);
});

test('derived seeds are stable, differ for neighbours, and use all bits', () => {
  assert.equal(deriveSeed(7, 1, 2), deriveSeed(7, 1, 2));
  assert.notEqual(deriveSeed(7, 1, 2), deriveSeed(7, 2, 1));
  const seeds = Array.from({ length: 4000 }, (_, index) => deriveSeed(5, index >> 3, index & 7));
  assert.equal(new Set(seeds).size, seeds.length);
  for (let bit = 0; bit < 32; bit++) {
    const share = seeds.filter((seed) => (seed >>> bit) & 1).length / seeds.length;
    assert.ok(share > 0.45 && share < 0.55, `bit ${bit} is set in ${share}`);
  }
});
