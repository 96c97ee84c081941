/** What a context is made with when little is said, and what bounds what is said. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ContextDefaults, nativeContextOptions } from '../../src/engine/context-options.js';
import type { ContextOptions, Model } from '../../src/engine/index.js';
import { golden, tinyModel } from './fixture.js';

const DEFAULTS: ContextDefaults = {
  trainedContextLength: 4096,
  threadCount: 6,
  measuresThreads: true,
  device: 'cpu',
};
const of = (options?: ContextOptions, defaults: Partial<ContextDefaults> = {}) =>
  nativeContextOptions(options, { ...DEFAULTS, ...defaults });

test('nothing said', () => {
  const expected = {
    cellCount: 4096,
    sequenceCount: 32,
    batchSize: 128,
    microBatchSize: 128,
    threadCount: 6,
    measuresThreads: true,
    flashAttention: 'auto',
    cacheType: 'f16',
    output: 'logits',
  };
  assert.deepEqual(of(), expected);
  assert.deepEqual(of({}, { device: 'gpu' }), { ...expected, batchSize: 512, microBatchSize: 512 });
});

test('as many cells as the model was trained with, 8192 at most and where nobody knows', () => {
  const cells = (trainedContextLength: number) => of({}, { trainedContextLength }).cellCount;
  assert.deepEqual([1, 2048, 8192, 8193, 131_072, 0].map(cells), [1, 2048, 8192, 8192, 8192, 8192]);
  assert.equal(of({ contextSize: 20_000 }).cellCount, 20_000, 'more where it is asked for');
});

test('rows computed at once are 512, and never more than a step has', () => {
  const rows = (options: ContextOptions) => {
    const { batchSize, microBatchSize } = of(options);
    return [batchSize, microBatchSize];
  };
  assert.deepEqual(rows({ batchSize: 1024 }), [1024, 512]);
  assert.deepEqual(rows({ batchSize: 100 }), [100, 100]);
  assert.deepEqual(rows({ batchSize: 2048, microBatchSize: 1024 }), [2048, 1024]);
  assert.deepEqual(rows({ microBatchSize: 1024 }), [128, 128]);
  assert.deepEqual(rows({ microBatchSize: 32 }), [128, 32]);
});

test('threads that somebody named are not measured', () => {
  const threads = (options: ContextOptions, measuresThreads = true) => {
    const { threadCount, measuresThreads: measures } = of(options, { measuresThreads });
    return [threadCount, measures];
  };
  assert.deepEqual(threads({ threadCount: 2 }), [2, false]);
  assert.deepEqual(threads({}), [6, true]);
  assert.deepEqual(threads({}, false), [6, false]);
});

test('the bounds themselves are taken, and what lies beyond is refused by name', () => {
  const wrong: readonly (readonly [keyof ContextOptions, number, number])[] = [
    ['contextSize', 1, 2 ** 31 - 1],
    ['sequenceCount', 1, 256],
    ['batchSize', 1, 65_536],
    ['microBatchSize', 1, 65_536],
    ['threadCount', 1, 256],
  ];
  for (const [name, least, most] of wrong) {
    for (const value of [least, most]) of({ [name]: value });
    for (const value of [least - 1, most + 1, 1.5])
      assert.throws(() => of({ [name]: value }), {
        code: 'ERR_INVALID_OPTION',
        message: new RegExp(`^context options: ${name}: expected an integer from ${least} to ${most}; received`),
      });
  }
});

let model: Model;
before(async () => {
  model = await tinyModel({ modelPath: golden('tiny.gguf'), projectorPath: undefined });
});
after(() => model.dispose());

test('a context has what it was made with', async () => {
  await using context = await model.createContext({ contextSize: 512, sequenceCount: 3 });
  assert.deepEqual([context.facts.cellCount, context.facts.sequenceCount], [512, 3]);
  await assert.rejects(context.reserve({ cellCount: 513, sequenceCount: 1 }), { code: 'ERR_CACHE_FULL' });
  await assert.rejects(context.reserve({ cellCount: 1, sequenceCount: 4 }), { code: 'ERR_CACHE_FULL' });
  const lease = await context.reserve({ cellCount: 512, sequenceCount: 3 });
  assert.deepEqual(lease.demand, { cellCount: 512, sequenceCount: 3 });
  const waiting = context.reserve({ cellCount: 1, sequenceCount: 1 });
  assert.equal(context.waitingCount, 1);
  await lease.release();
  await (await waiting).release();
  assert.equal(context.waitingCount, 0);
  for (const demand of [
    { cellCount: 0, sequenceCount: 1 },
    { cellCount: 1, sequenceCount: 0 },
  ])
    await assert.rejects(context.reserve(demand), { code: 'ERR_INVALID_OPTION' });
});
