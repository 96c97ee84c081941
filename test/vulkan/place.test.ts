/** What is on the device: the driver tells what it has handed out, and what was submitted to it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { devices, Model, type ModelOptions } from '../../src/engine/index.js';
import { EtaError, loadEta } from '../../src/index.js';
import { onDevice, PLACE } from '../device.js';
import { EXACT, golden, picture, started, tinyModel } from '../engine/fixture.js';
import { planted } from './planted-device.js';

const skip = !onDevice && 'runs on a Vulkan device: npm run test:vulkan';
const { text } = JSON.parse(readFileSync(golden('golden.json'), 'utf8')) as {
  text: readonly { tokens: readonly number[]; greedyTokens: readonly number[] }[];
};

/** Bytes on the device with a model, with its context, and what a decode and a picture submit to it. */
async function held(options: Partial<ModelOptions>) {
  const empty = planted().allocatedBytes;
  await using model = await tinyModel(options);
  const loaded = planted().allocatedBytes - empty;
  await using context = await model.createContext(EXACT);
  const withContext = planted().allocatedBytes;
  const [first] = text;
  assert.ok(first !== undefined);
  const before = planted().submitCount;
  const { lease, sequence } = await started(context, [Int32Array.from(first.tokens)]);
  const decoded = await sequence.decode({ sampler: { temperature: 0 }, maxTokens: first.greedyTokens.length });
  assert.deepEqual(decoded.tokens, first.greedyTokens, JSON.stringify(options));
  await lease.release();
  const afterText = planted().submitCount;
  (await picture(model)).dispose();
  return {
    loaded,
    cache: withContext - loaded - empty,
    submits: afterText - before,
    pictureSubmits: planted().submitCount - afterText,
  };
}

test('all layers, the projector and the cache are on the device, or none of them', { skip }, async () => {
  const all = await held({});
  // 0.38 MiB of weights, 0.20 of projector; 1024 cells of F32 in two layers are 0.5 MiB.
  assert.ok(all.loaded > 500_000 && all.cache > 2 ** 19, JSON.stringify(all));
  assert.ok(all.submits > 20 && all.pictureSubmits > 0, JSON.stringify(all));
  // The control: on the processor nothing of it is there.
  for (const options of [{ device: 'CPU' }, { device: 'auto', gpuLayerCount: 0, projectorOnGpu: false }])
    assert.deepEqual(await held(options), { loaded: 0, cache: 0, submits: 0, pictureSubmits: 0 });
});

test('some layers on the device, the others on the processor, and the same words', { skip }, async () => {
  const [none, one, two, all] = [
    await held({ gpuLayerCount: 0, projectorOnGpu: false }),
    await held({ gpuLayerCount: 1 }),
    await held({ gpuLayerCount: 2 }),
    await held({ gpuLayerCount: 3 }),
  ];
  const loaded = [none, one, two, all].map((place) => place.loaded);
  assert.deepEqual(
    loaded,
    [...new Set(loaded)].sort((a, b) => a - b),
    'each layer takes room',
  );
  const projector = await held({ gpuLayerCount: 0, projectorOnGpu: true });
  assert.ok(projector.loaded > 0 && projector.loaded < one.loaded && projector.pictureSubmits > 0);
});

test('a device goes by its name, in any case; one that is not there is named with those that are', {
  skip,
}, async () => {
  const name = PLACE.device ?? '';
  assert.ok(devices().some((device) => device.name === name && device.type === 'gpu'));
  for (const device of [name.toUpperCase(), name.toLowerCase(), 'auto']) {
    await using model = await tinyModel({ device });
    assert.ok(planted().allocatedBytes > 0, `${model.name} on ${device}`);
  }
  const unknown = (error: unknown) =>
    error instanceof EtaError &&
    error.code === 'ERR_DEVICE_NOT_FOUND' &&
    /received "CUDA7"\. There are auto, CPU, Vulkan0 \(.+\)\./.test(error.message);
  await assert.rejects(Model.load({ modelPath: golden('tiny.gguf'), device: 'CUDA7' }), unknown);
  await assert.rejects(loadEta({ device: 'CUDA7' }), unknown);
});

test('an aligned answer of the miniature: the same decisions as on the processor', {
  skip,
}, async () => {
  const image = fileURLToPath(new URL('../../models/miniature/pictures/drawn-08.png', import.meta.url));
  const answer = async (device: string | undefined) => {
    const eta = await loadEta({ device });
    const submits = planted().submitCount;
    const result = await eta.respond({ prompt: 'Explain how I can make this.', image, seed: 1 });
    await eta.dispose();
    return { result, submits: planted().submitCount - submits };
  };
  const [there, here] = [await answer(PLACE.device), await answer('CPU')];
  assert.ok(there.submits > 100, `${there.submits} submits`);
  assert.equal(here.submits, 0);
  assert.equal(there.result.verdict.action, 'aligned');
  assert.equal(here.result.verdict.action, 'aligned');
  assert.equal(there.result.verdict.picture?.score, here.result.verdict.picture?.score, 'CLIP is on the processor');
  assert.equal(there.result.verdict.final?.isUnsafe, here.result.verdict.final?.isUnsafe);
  assert.equal(there.result.verdict.answer?.score, here.result.verdict.answer?.score, 'of the same words');
  assert.match(there.result.text, /^As an AI assistant, ./);
});
