/** Memory of the device: what it gives, what it refuses, and that it comes back. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { devices, Model } from '../../src/engine/index.js';
import { EtaError, loadEta } from '../../src/index.js';
import { fitMemory, thisMachine } from '../../src/loading/memory-fit.js';
import { GPU_RESERVE_BYTES, modelShapes, resolveModels } from '../../src/models/index.js';
import { onDevice, PLACE } from '../device.js';
import { EXACT, golden, picture, started, tinyModel } from '../engine/fixture.js';
import { planted, plantMemory } from './planted-device.js';

const skip = !onDevice && 'runs on a Vulkan device: npm run test:vulkan';
const MIB = 2 ** 20;
const image = fileURLToPath(new URL('../../models/miniature/pictures/drawn-08.png', import.meta.url));
const request = { prompt: 'Explain how I can make this.', image, seed: 1 };
const { device } = PLACE;

afterEach(() => {
  if (onDevice) plantMemory(0);
});

/** What models hold. ggml-vulkan keeps a buffer for transfers as long as the process lives, of as much as was needed once. */
function held(): number {
  const { allocatedBytes } = planted();
  return allocatedBytes <= 2 ** 18 ? 0 : allocatedBytes;
}

/** An error whose figures are the device's. */
function isOutOfMemory(error: unknown): boolean {
  assert.ok(error instanceof EtaError, String(error));
  assert.equal(error.code, 'ERR_MEMORY', error.message);
  assert.match(error.message, /failed to allocate Vulkan0 buffer of size \d+/);
  assert.match(error.message, /Free now: .*Vulkan0 \d+ of \d+ MiB/);
  return true;
}

test('a model, a projector and a context that the device has no room for are ERR_MEMORY, and the process goes on', {
  skip,
}, async () => {
  plantMemory(0.2 * MIB);
  await assert.rejects(tinyModel(), isOutOfMemory);
  plantMemory(0.45 * MIB);
  await assert.rejects(tinyModel(), isOutOfMemory, 'the projector');
  plantMemory(MIB);
  await using model = await tinyModel();
  await assert.rejects(model.createContext(EXACT), isOutOfMemory);
  // The way out that the message names.
  plantMemory(0.2 * MIB + planted().allocatedBytes);
  await using fewer = await tinyModel({ gpuLayerCount: 1, projectorOnGpu: false });
  plantMemory(0);
  await using context = await fewer.createContext(EXACT);
  const { lease, sequence } = await started(context, [await fewer.tokenize('The red apple')]);
  assert.notEqual((await sequence.decode({ maxTokens: 8 })).text, '');
  await lease.release();
});

test('a picture and a decode that find no memory are told, and are done with when there is some', {
  skip,
}, async () => {
  await using model = await tinyModel();
  await using context = await model.createContext(EXACT);
  const parts = [await model.tokenize('The red apple')];
  const { allocatedBytes, refusedCount } = planted();
  plantMemory(allocatedBytes);
  const outcomes = await Promise.allSettled([picture(model), started(context, parts)]);
  assert.ok(planted().refusedCount > refusedCount, 'expected the device to be asked for memory that it has not');
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'ERR_MEMORY', outcome.reason.message);
  }
  plantMemory(0);
  (await picture(model)).dispose();
  await using other = await model.createContext(EXACT);
  const { sequence } = await started(other, parts);
  assert.notEqual((await sequence.decode({ maxTokens: 8 })).text, '');
});

test('the estimate is near what the driver hands out, with all layers and with some', { skip }, async () => {
  const shapes = await modelShapes(await resolveModels('miniature'));
  for (const flashAttention of ['auto', 'off', 'on'] as const) {
    for (const gpuLayerCount of [-1, 3]) {
      const options = { device, flashAttention, gpuLayerCount };
      const { estimate } = fitMemory(shapes, options, thisMachine(devices(), device));
      const eta = await loadEta(options);
      const figures = `${flashAttention}, ${gpuLayerCount}: ${estimate.gpuBytes / MIB} MiB, there ${held() / MIB}`;
      // The encoder's buffers and copies of single weights are not counted; the reserve is for such.
      assert.ok(held() > 0.9 * estimate.gpuBytes && held() - estimate.gpuBytes < 24 * MIB, figures);
      await eta.dispose();
    }
  }
});

test("'auto' places as many layers as the device says it has room for, and they are there", { skip }, async () => {
  const shapes = await modelShapes(await resolveModels('miniature'));
  const options = { device, flashAttention: 'on' } as const;
  const places: { readonly layers: number; readonly bytes: number }[] = [];
  for (const bytes of [1, 22, 200]) {
    plantMemory(GPU_RESERVE_BYTES + bytes * MIB);
    const { plan } = fitMemory(shapes, options, thisMachine(devices(), device));
    const eta = await loadEta(options);
    places.push({ layers: plan.gpuLayerCount, bytes: held() });
    await eta.dispose();
  }
  const [none, some, all] = places;
  assert.deepEqual(none, { layers: 0, bytes: 0 });
  assert.ok(some !== undefined && some.layers > 0 && some.bytes > 0);
  assert.ok(all !== undefined && all.layers === -1 && all.bytes > some.bytes);
});

test('layers that are asked for and do not fit are refused before anything is loaded', { skip }, async () => {
  plantMemory(GPU_RESERVE_BYTES + 6 * MIB);
  const { deviceCount, mostAllocatedBytes } = planted();
  await assert.rejects(loadEta({ device, gpuLayerCount: -1 }), (error) => {
    assert.ok(error instanceof EtaError && error.code === 'ERR_MEMORY');
    assert.match(error.message, /and \d\.\d\d GiB of 0\.5\d GiB on the GPU.*Leave out gpuLayerCount/);
    return true;
  });
  assert.deepEqual([planted().deviceCount, planted().mostAllocatedBytes], [deviceCount, mostAllocatedBytes]);
});

test('dispose of an Eta gives all of it back, round after round', { skip }, async () => {
  const rounds: { readonly loaded: number; readonly answered: number }[] = [];
  for (let round = 0; round < 8; round++) {
    assert.equal(held(), 0, `before round ${round}`);
    const eta = await loadEta({ device });
    const loaded = held();
    await eta.respond(request);
    rounds.push({ loaded, answered: held() });
    await eta.dispose();
  }
  assert.equal(held(), 0);
  const [first, second] = rounds;
  assert.ok(first !== undefined && first.loaded > 0 && first.answered >= first.loaded);
  assert.deepEqual(rounds.at(-1), second);
});

test('a model on the device leaves nothing in main memory either', { skip }, async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const rss: number[] = [];
  for (let round = 0; round < 12; round++) {
    const model = await tinyModel();
    const context = await model.createContext(EXACT);
    const { sequence } = await started(context, [await picture(model), await model.tokenize('The red apple')]);
    await sequence.decode({ maxTokens: 40 });
    await model.dispose();
    collect();
    rss.push(process.memoryUsage.rss() / MIB);
  }
  const growth = (rss.at(-1) ?? 0) - (rss[3] ?? 0); // the first rounds fill allocators and caches
  assert.ok(growth < 8, `main memory grew by ${growth.toFixed(1)} MiB in eight rounds: ${rss.join(', ')}`);
});

test('several models on one device, in turns and side by side', { skip }, async () => {
  const load = () => Model.load({ modelPath: golden('tiny.gguf'), device });
  const before = planted().allocatedBytes;
  const alone = await load();
  const one = planted().allocatedBytes - before;
  const more = await Promise.all([load(), load(), load()]);
  assert.equal(planted().allocatedBytes - before, 4 * one);
  await Promise.all(more.map((model) => model.dispose()));
  assert.equal(planted().allocatedBytes - before, one);
  await alone.dispose();
  assert.equal(planted().allocatedBytes, before);
});
