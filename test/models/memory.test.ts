/** The arithmetic against llama.cpp's own log lines, and the choice of layers on planted devices: no GPU is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('an embedding that is the output too is on both sides of the bus', () => {
  const tied = { ...SEVEN, language: { ...SEVEN.language, sharesEmbedding: true, outputBytes: 73 * MIB } };
  const onGpu = part(tied, { ...PLAN, gpuLayerCount: -1 }, 'weights');
  assert.equal(onGpu.gpuBytes, (32 * 113 + 73) * MIB);
  const onCpu = part(tied, PLAN, 'weights').ramBytes - 300 * 32_000;
  assert.equal(onCpu, (32 * 113 + 73) * MIB, 'once where all is in main memory');
});
