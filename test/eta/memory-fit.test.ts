/** What loadEta decides from the memory of a machine; machines are planted, since this one has no GPU and memory enough. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { loadEta } from '../../src/index.js';
import { fitMemory, type Machine, thisMachine } from '../../src/loading/memory-fit.js';
import { addedRam, type ModelShapes, modelShapes, resolveModels } from '../../src/models/index.js';

const GIB = 2 ** 30;
const machine = (ram: number, gpu = 0, isShared = false): Machine => ({
  ramFreeBytes: ram * GIB,
  gpuFreeBytes: gpu * GIB,
  isShared,
  repackedTypes: [],
});
let shapes: ModelShapes;
before(async () => {
  shapes = await modelShapes(await resolveModels('miniature'));
});

test('without a GPU every layer is in main memory, whatever is asked', () => {
  for (const gpuLayerCount of ['auto', -1, 3] as const) {
    const fit = fitMemory(shapes, { gpuLayerCount }, machine(8));
    assert.equal(fit.plan.gpuLayerCount, 0);
    assert.equal(fit.estimate.gpuBytes, 0);
    assert.ok(fit.fits, 'it fits');
  }
});

test('with a GPU as many layers as fit, or as many as are asked for', () => {
  assert.equal(fitMemory(shapes, {}, machine(8, 8)).plan.gpuLayerCount, -1);
  assert.equal(fitMemory(shapes, { gpuLayerCount: 2 }, machine(8, 8)).plan.gpuLayerCount, 2);
  assert.equal(fitMemory(shapes, {}, machine(8, 0.1)).plan.gpuLayerCount, 0);
  const forced = fitMemory(shapes, { gpuLayerCount: -1 }, machine(8, 0.1));
  assert.ok(!forced.fits, 'more than the GPU has');
});

test('cells are rounded up as llama.cpp does, in the plan and in what would fit', async () => {
  const [ten, whole] = [10, 256].map((contextSize) => fitMemory(shapes, { contextSize }, machine(8)));
  assert.equal(ten?.plan.contextSize, 256);
  assert.deepEqual(ten?.estimate, whole?.estimate);
  assert.equal(ten?.largestContextSize, 256);
  assert.equal(fitMemory(shapes, { contextSize: 257 }, machine(8)).plan.contextSize, 512);
  await using eta = await loadEta({ contextSize: 10, method: 'vanilla' });
  assert.equal(eta.facts.contextSize, 10, 'as it was asked for');
  const { usage } = await eta.respond({ prompt: 'Count to a hundred.' });
  assert.ok(usage.promptTokenCount + usage.answerTokenCount > 10, 'expected more tokens than ten');
  assert.ok(usage.promptTokenCount + usage.answerTokenCount <= 256, 'and no more than cells');
});

test('a GPU that works in the main memory draws on it', () => {
  const needed = fitMemory(shapes, {}, machine(8, 8, true)).estimate;
  const both = (addedRam(needed) + needed.gpuBytes) / GIB;
  assert.ok(fitMemory(shapes, {}, machine(both * 1.001, 8, true)).fits, 'enough for both');
  assert.ok(!fitMemory(shapes, {}, machine(both * 0.999, 8, true)).fits, 'not enough for both');
});

test('what is lacking is told before anything is loaded, with the figures and what to do', async () => {
  const started = performance.now();
  await assert.rejects(loadEta({ contextSize: 2 ** 31 - 1 }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'ERR_MEMORY');
    assert.match(
      error.message,
      /^Expected \d+\.\d\d GiB of free memory, found \d+\.\d\d GiB free: KV cache \d+\.\d\d GiB, compute .*\(2147483648 cells of f16\)\. Take a contextSize of at most \d+, .*With checkMemory: false they are loaded all the same\.$/,
    );
    return true;
  });
  assert.ok(performance.now() - started < 5000, 'at once');
});

test('devices are summed, and their kind is told', () => {
  const device = (name: string, type: 'cpu' | 'gpu' | 'integrated-gpu') => ({
    name,
    type,
    description: '',
    memoryFreeBytes: 3 * GIB,
    memoryTotalBytes: 4 * GIB,
  });
  const { gpuFreeBytes, isShared } = thisMachine([
    device('CPU', 'cpu'),
    device('CUDA0', 'gpu'),
    device('CUDA1', 'gpu'),
  ]);
  assert.deepEqual({ gpuFreeBytes, isShared }, { gpuFreeBytes: 6 * GIB, isShared: false });
  assert.equal(thisMachine([device('Metal', 'gpu')]).isShared, true);
  assert.equal(thisMachine([device('Vulkan0', 'integrated-gpu')]).isShared, true);
  assert.equal(thisMachine([device('CPU', 'cpu')]).gpuFreeBytes, 0);
  assert.ok(thisMachine().ramFreeBytes > 0, 'this machine has memory');
});
