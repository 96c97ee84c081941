/** The arithmetic against llama.cpp's own log lines, and the choice of layers on planted devices: no GPU is asked. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  addedRam,
  chooseGpuLayers,
  estimateMemory,
  GPU_RESERVE_BYTES,
  largestContext,
  type MemoryPart,
  type MemoryPlan,
  type ModelShapes,
  modelShapes,
  repackedTypes,
  resolveModels,
  type TypeBytes,
} from '../../src/models/index.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const PLAN: MemoryPlan = {
  contextSize: 4096,
  sequenceCount: 32,
  batchSize: 128,
  cacheType: 'f16',
  flashAttention: 'on',
  gpuLayerCount: 0,
  repackedTypes: [],
  trunk: null,
};

/** LLaVA-1.5-7B's shape at four bits, with ViT-L/14-336 and evaluators of some size. */
const SEVEN: ModelShapes = {
  language: {
    name: 'seven',
    architecture: 'llama',
    layerCount: 32,
    width: 4096,
    feedForward: 11_008,
    headCount: 32,
    vocabularySize: 32_000,
    trainedContextLength: 4096,
    cellValues: Array<number>(32).fill(8192),
    stateValues: Array<number>(32).fill(0),
    hasWindow: false,
    layerBytes: Array<number>(32).fill(113 * MIB),
    embeddingBytes: 70 * MIB,
    outputBytes: 103 * MIB,
    sharesEmbedding: false,
    layerTypes: Array<TypeBytes>(32).fill({ 0: MIB, 12: 80 * MIB, 14: 32 * MIB }),
    outputTypes: { 14: 103 * MIB },
  },
  projector: { weightBytes: 600 * MIB, patchCount: 577, width: 1024, feedForward: 4096 },
  evaluators: {
    clipBytes: 1700 * MIB,
    rewardBytes: 600 * MIB,
    trunk: null,
    largestGraphBytes: 1200 * MIB,
    rewardCacheBytes: 100 * MIB,
  },
};

const part = (shapes: ModelShapes, plan: MemoryPlan, name: MemoryPart['name']) =>
  estimateMemory(shapes, plan).parts.find((one) => one.name === name) ?? { ramBytes: 0, gpuBytes: 0 };

test('the cache is what llama.cpp reserves', async () => {
  const miniature = await modelShapes(await resolveModels('miniature'));
  // llama_kv_cache: size = 16.00 MiB (4096 cells, 4 layers)
  assert.equal(part(miniature, PLAN, 'KV cache').ramBytes, 16 * MIB);
  assert.equal(part(miniature, { ...PLAN, cacheType: 'f32' }, 'KV cache').ramBytes, 32 * MIB);
  assert.equal(part(miniature, { ...PLAN, cacheType: 'q8_0' }, 'KV cache').ramBytes, 8.5 * MIB);
  assert.equal(part(miniature, { ...PLAN, contextSize: 4000 }, 'KV cache').ramBytes, 16 * MIB, 'cells in steps of 256');
});

test('buffers of a step are near llama.cpp’s', () => {
  // "CPU compute buffer size" of its log beside "CPU output buffer size", at 4096 or 16384 cells, in MiB: random models of
  // 160M (768 wide, 3072, 12 heads, 12 layers) and 1.1B (2048, 5632, 32 heads).
  const shape = (width: number, feedForward: number, headCount: number): ModelShapes => ({
    ...SEVEN,
    language: { ...SEVEN.language, width, feedForward, headCount },
  });
  const small = shape(768, 3072, 12);
  const large = shape(2048, 5632, 32);
  const rows: readonly (readonly [ModelShapes, Partial<MemoryPlan>, expectedMib: number])[] = [
    [small, {}, 3.91 + 7],
    [small, { batchSize: 512 }, 3.91 + 28.01],
    [small, { contextSize: 16_384 }, 3.91 + 10],
    [small, { sequenceCount: 256 }, 31.25 + 32.75],
    [small, { flashAttention: 'off' }, 3.91 + 28.63],
    [large, {}, 3.91 + 13.25],
    [large, { batchSize: 512 }, 3.91 + 53.01],
    [large, { contextSize: 16_384 }, 3.91 + 16.25],
    [large, { sequenceCount: 256 }, 31.25 + 35.25],
    [large, { flashAttention: 'off' }, 3.91 + 71.25],
    [large, { contextSize: 16_384, flashAttention: 'off' }, 3.91 + 269.25],
    [large, { batchSize: 512, flashAttention: 'off' }, 3.91 + 285.01],
  ];
  for (const [shapes, change, expected] of rows) {
    const estimated = part(shapes, { ...PLAN, ...change }, 'compute').ramBytes / MIB;
    assert.ok(Math.abs(estimated / expected - 1) < 0.1, `${JSON.stringify(change)}: ${estimated}, ${expected}`);
  }
});

test('what the GPU takes, main memory does not', () => {
  const none = estimateMemory(SEVEN, PLAN);
  assert.equal(none.gpuBytes, 0);
  const all = estimateMemory(SEVEN, { ...PLAN, gpuLayerCount: -1 });
  assert.deepEqual(all, estimateMemory(SEVEN, { ...PLAN, gpuLayerCount: 33 }));
  assert.deepEqual(part(SEVEN, { ...PLAN, gpuLayerCount: -1 }, 'KV cache'), {
    name: 'KV cache',
    ramBytes: 0,
    gpuBytes: 2 * GIB,
  });
  assert.equal(part(SEVEN, { ...PLAN, gpuLayerCount: -1 }, 'weights').gpuBytes, (32 * 113 + 103) * MIB);
  let before = 0;
  for (let count = 1; count <= 33; count++) {
    const { gpuBytes } = estimateMemory(SEVEN, { ...PLAN, gpuLayerCount: count });
    assert.ok(gpuBytes > before, `${count} layers take more than ${count - 1}`);
    before = gpuBytes;
  }
  // The output goes first, then the layers from the last one on.
  assert.equal(part(SEVEN, { ...PLAN, gpuLayerCount: 2 }, 'weights').gpuBytes, (113 + 103) * MIB);
});

test('layers are chosen from the free memory of the GPU', () => {
  const all = estimateMemory(SEVEN, { ...PLAN, gpuLayerCount: -1 }).gpuBytes + GPU_RESERVE_BYTES;
  assert.equal(chooseGpuLayers(SEVEN, PLAN, 24 * GIB), -1);
  assert.equal(chooseGpuLayers(SEVEN, PLAN, all), -1);
  assert.equal(chooseGpuLayers(SEVEN, PLAN, all - 1), 32, 'one byte short: one layer less');
  assert.equal(chooseGpuLayers(SEVEN, PLAN, 0), 0);
  assert.equal(chooseGpuLayers(SEVEN, PLAN, 1 * GIB), 0, 'not even the output beside the projector');
  for (const gib of [2, 3, 4, 5, 6]) {
    const count = chooseGpuLayers(SEVEN, PLAN, gib * GIB);
    assert.ok(count > 0 && count < 33, `${gib} GiB: ${count}`);
    const takes = (layers: number) =>
      estimateMemory(SEVEN, { ...PLAN, gpuLayerCount: layers }).gpuBytes + GPU_RESERVE_BYTES;
    assert.ok(takes(count) <= gib * GIB && takes(count + 1) > gib * GIB, `${gib} GiB: as many as fit, ${count}`);
  }
  const larger = chooseGpuLayers(SEVEN, { ...PLAN, contextSize: 16_384 }, 6 * GIB);
  assert.ok(larger < chooseGpuLayers(SEVEN, PLAN, 6 * GIB), 'a larger cache leaves room for fewer layers');
});

test('the largest context that fits is a step below one that does not', () => {
  const free = 12 * GIB;
  const plan = { ...PLAN, contextSize: 1_000_000 };
  const most = largestContext(SEVEN, plan, free);
  const added = (contextSize: number) =>
    estimateMemory(SEVEN, { ...plan, contextSize }).ramBytes - part(SEVEN, plan, 'program').ramBytes;
  assert.ok(most > 0 && most % 256 === 0, String(most));
  assert.ok(added(most) <= free && added(most + 256) > free, String(most));
  assert.equal(largestContext(SEVEN, PLAN, free), 4096, 'no more than was asked for');
  assert.equal(largestContext(SEVEN, PLAN, GIB), 0);
});

test('weights of some types are kept twice on the processor, and the first of the two can be taken back', () => {
  assert.deepEqual(repackedTypes('CPU : SSE3 = 1 | AVX2 = 1 | AVX512 = 1 | REPACK = 1 |'), [2, 12, 20, 39, 10]);
  assert.deepEqual(repackedTypes('CPU : AVX2 = 1 | AVX512_VNNI = 1 | REPACK = 1 |'), [2, 12, 20, 39]);
  assert.deepEqual(repackedTypes('CPU : AVX2 = 1'), [], 'a build without');
  assert.ok(repackedTypes('CPU : NEON = 1 | DOTPROD = 1 | REPACK = 1').includes(8), 'Q8_0 on ARM');
  const plan = { ...PLAN, repackedTypes: [12] };
  const [once, twice] = [estimateMemory(SEVEN, PLAN), estimateMemory(SEVEN, plan)];
  assert.equal(twice.ramBytes - once.ramBytes, 32 * 80 * MIB);
  assert.equal(twice.reclaimableBytes, 32 * 80 * MIB);
  assert.equal(addedRam(twice), addedRam(once), 'what must be free is the same');
  const half = estimateMemory(SEVEN, { ...plan, gpuLayerCount: 17 });
  assert.equal(half.reclaimableBytes, 16 * 80 * MIB, 'layers on the GPU are not repacked');
  assert.equal(
    estimateMemory(SEVEN, { ...PLAN, repackedTypes: [14] }).reclaimableBytes,
    (32 * 32 + 103) * MIB,
    'the output',
  );
});

/** SEVEN with a reward model of more layers in llama.cpp, opened as `loadEta` does. */
const SPLIT: ModelShapes = {
  ...SEVEN,
  evaluators: {
    ...SEVEN.evaluators,
    rewardBytes: MIB,
    rewardCacheBytes: 0,
    trunk: {
      language: {
        ...SEVEN.language,
        layerCount: 36,
        cellValues: Array<number>(36).fill(2048),
        stateValues: Array<number>(36).fill(0),
        layerBytes: Array<number>(36).fill(60 * MIB),
        layerTypes: Array<TypeBytes>(36).fill({ 12: 60 * MIB }),
      },
      maxTokens: 1024,
      cacheType: 'f16',
    },
  },
};
const TRUNK_PLAN = { contextSize: 3072, sequenceCount: 32, batchSize: 128, cacheType: 'f16' } as const;

test('buffers of a trunk are near llama.cpp’s', () => {
  // "CPU compute buffer size" of its log, and "CPU output buffer size" of 32 rows, grown to the batch: 3072 cells without
  // flash attention, random models of 160M and 1.1B with vocabularies of several sizes, in MiB.
  const rows: readonly (readonly [vocabularySize: number, is: '160m' | '1.1b', change: object, expectedMib: number])[] =
    [
      [32_000, '160m', {}, 22.13 + 4 * 4],
      [32_000, '160m', { contextSize: 8192 }, 54.63 + 4 * 4],
      [151_936, '160m', {}, 75.31 + 4 * 18.64],
      [151_936, '160m', { batchSize: 512 }, 301.25 + 16 * 18.64],
      [151_936, '160m', { sequenceCount: 8 }, 75.31 + 16 * 4.66],
      [128_256, '1.1b', {}, 68.38 + 4 * 15.91],
      [128_256, '1.1b', { contextSize: 8192 }, 137.25 + 4 * 15.91],
    ];
  for (const [vocabularySize, is, change, expected] of rows) {
    const [width, feedForward, headCount] = is === '160m' ? [768, 3072, 12] : [2048, 5632, 32];
    const none = { layerCount: 0, cellValues: [], stateValues: [], layerBytes: [], layerTypes: [] };
    const weightless = { ...none, embeddingBytes: 0, outputBytes: 0 };
    const language = { ...SEVEN.language, ...weightless, layerCount: 1, width, feedForward, headCount, vocabularySize };
    const trunk = { language, maxTokens: 1024, cacheType: 'f16' as const };
    const shapes = { ...SEVEN, evaluators: { ...SPLIT.evaluators, rewardBytes: 0, trunk } };
    const plan = { ...PLAN, trunk: { ...TRUNK_PLAN, ...change } };
    const estimated = (part(shapes, plan, 'reward model').ramBytes - 300 * vocabularySize) / MIB;
    assert.ok(Math.abs(estimated / expected - 1) < 0.1, `${is} ${JSON.stringify(change)}: ${estimated}, ${expected}`);
  }
});

test('a trunk counts as what it is: weights, cache and buffers in llama.cpp, heads in a graph', () => {
  const plan = { ...PLAN, trunk: TRUNK_PLAN };
  const all = part(SPLIT, { ...plan, gpuLayerCount: -1 }, 'reward model');
  const cells = 36 * 3072 * 2048 * 2;
  const onGpu = (36 * 60 + 103) * MIB + cells;
  assert.ok(all.gpuBytes > onGpu && all.gpuBytes < onGpu + 70 * MIB, `${all.gpuBytes / MIB} MiB on the GPU`);
  assert.ok(
    all.ramBytes > 71 * MIB && all.ramBytes < 110 * MIB,
    `${all.ramBytes / MIB} MiB: embeddings, heads, logits`,
  );
  const none = part(SPLIT, plan, 'reward model');
  assert.equal(none.gpuBytes, 0);
  const larger = part(SPLIT, { ...plan, trunk: { ...TRUNK_PLAN, cacheType: 'f32' } }, 'reward model');
  assert.equal(larger.ramBytes - none.ramBytes, cells, 'the cache of its own context, in its own type');
  assert.equal(
    part(SPLIT, { ...plan, contextSize: 65_536, cacheType: 'f32' }, 'reward model').ramBytes,
    none.ramBytes,
    'which the language model’s does not touch',
  );
  assert.equal(part(SPLIT, plan, 'onnxruntime').ramBytes, part(SEVEN, PLAN, 'onnxruntime').ramBytes, 'no graph of it');
  const twice = estimateMemory(SPLIT, { ...plan, repackedTypes: [12] });
  assert.equal(twice.reclaimableBytes, (32 * 80 + 36 * 60) * MIB, 'repacked as the language model is');
});

test('layers for the GPU are chosen with the trunk beside the language model', () => {
  const plan = { ...PLAN, trunk: TRUNK_PLAN };
  const all = estimateMemory(SPLIT, { ...plan, gpuLayerCount: -1 }).gpuBytes + GPU_RESERVE_BYTES;
  assert.equal(chooseGpuLayers(SPLIT, plan, all), -1);
  const fewer = chooseGpuLayers(SPLIT, plan, all - 1);
  // Of 33 the trunk has 33 of its 37, which is less than all.
  assert.ok(fewer > 0 && fewer < 33, `${fewer} layers, all of the language model's would say all of the trunk's`);
  assert.equal(chooseGpuLayers(SEVEN, PLAN, all - 1), -1, 'without a trunk all layers fit');
});

test('of a folder with a trunk, the heads are the graph', async () => {
  const folder = fileURLToPath(new URL('../golden/reward-trunk/scalar', import.meta.url));
  const miniature = await resolveModels('miniature');
  const { evaluators } = await modelShapes({ ...miniature, clip: null, rewardModel: folder });
  assert.equal(evaluators.rewardBytes, statSync(join(folder, 'heads.onnx')).size);
  assert.equal(evaluators.largestGraphBytes, evaluators.rewardBytes);
  const { language, maxTokens, cacheType } = evaluators.trunk ?? {};
  assert.deepEqual([language?.layerCount, language?.width, maxTokens, cacheType], [2, 32, 1024, 'f32']);
  assert.equal((await modelShapes(miniature)).evaluators.trunk, null);
  await assert.rejects(modelShapes({ ...miniature, rewardModel: join(folder, 'none') }), {
    code: 'ERR_MODEL_INVALID',
    message: /Expected a manifest/,
  });
});

test('an embedding that is the output too is on both sides of the bus', () => {
  const tied = { ...SEVEN, language: { ...SEVEN.language, sharesEmbedding: true, outputBytes: 73 * MIB } };
  const onGpu = part(tied, { ...PLAN, gpuLayerCount: -1 }, 'weights');
  assert.equal(onGpu.gpuBytes, (32 * 113 + 73) * MIB);
  const onCpu = part(tied, PLAN, 'weights').ramBytes - 300 * 32_000;
  assert.equal(onCpu, (32 * 113 + 73) * MIB, 'once where all is in main memory');
});
