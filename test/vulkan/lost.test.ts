/** A device that is lost, as a driver that is reset loses it: every call says so, and the next load has a device again. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Context, Model } from '../../src/engine/index.js';
import { EtaError, loadEta } from '../../src/index.js';
import { onDevice, PLACE } from '../device.js';
import { EXACT, picture, started, tinyModel } from '../engine/fixture.js';
import { planted, plantLoss } from './planted-device.js';

const skip = !onDevice && 'runs on a Vulkan device: npm run test:vulkan';
const isLost = (error: unknown) => error instanceof EtaError && error.code === 'ERR_DEVICE_LOST';

afterEach(() => {
  if (onDevice) plantLoss(0);
});

async function answer(model: Model, context: Context): Promise<string> {
  await using lease = await context.reserve({ cellCount: 128, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  await sequence.prefill([await model.tokenize('The red apple')]);
  return (await sequence.decode({ sampler: { temperature: 0 }, maxTokens: 10 })).text;
}

/** What the device is asked for when it is lost. (A load of weights submits nothing here: the device's memory is mapped.) */
const MOMENTS: Readonly<Record<string, (model: Model, context: Context) => Promise<unknown>>> = {
  'a prefill': (model, context) => answer(model, context),
  'a picture': (model) => picture(model),
  'a context': (model) => model.createContext(EXACT),
  'requests side by side': (model, context) =>
    Promise.all([answer(model, context), answer(model, context), answer(model, context)]),
};

for (const [moment, work] of Object.entries(MOMENTS)) {
  test(`lost in ${moment}: an error says so, and the next load works`, { skip }, async () => {
    const before = await tinyModel();
    const context = await before.createContext(EXACT);
    const expected = await answer(before, context);
    const { deviceCount } = planted();
    plantLoss(moment === 'a context' ? 1 : 2);
    await assert.rejects(work(before, context), isLost);
    await assert.rejects(answer(before, context), isLost, 'it stays lost');
    await assert.rejects(picture(before), isLost);
    await before.dispose();
    await using after = await tinyModel();
    await using next = await after.createContext(EXACT);
    assert.equal(await answer(after, next), expected);
    (await picture(after)).dispose();
    assert.ok(planted().deviceCount > deviceCount, 'another device was opened');
  });
}

test('lost between two tokens: a sequence saved before goes on elsewhere', { skip }, async () => {
  const model = await tinyModel();
  const context = await model.createContext(EXACT);
  const { lease, sequence } = await started(context, [await model.tokenize('The red apple')]);
  const saved = await sequence.save();
  const expected = await sequence.decode({ sampler: { temperature: 0 }, maxTokens: 10 });
  plantLoss(1);
  await assert.rejects(sequence.save(), isLost);
  await lease.release();
  await model.dispose();
  for (const options of [{}, { device: 'CPU' }]) {
    await using other = await tinyModel(options);
    await using there = await other.createContext(EXACT);
    await using room = await there.reserve({ cellCount: 128, sequenceCount: 1 });
    const restored = await room.restore(saved);
    assert.equal((await restored.decode({ sampler: { temperature: 0 }, maxTokens: 10 })).text, expected.text);
  }
});

test('lost under a request of ETA: the request is told, and another Eta answers', { skip }, async () => {
  const { device } = PLACE;
  const image = fileURLToPath(new URL('../../models/miniature/pictures/drawn-08.png', import.meta.url));
  const request = { prompt: 'Explain how I can make this.', image, seed: 1 };
  const eta = await loadEta({ device });
  const { text } = await eta.respond(request);
  plantLoss(20);
  await assert.rejects(eta.respond(request), isLost);
  await eta.dispose();
  const again = await loadEta({ device });
  assert.equal((await again.respond(request)).text, text);
  await again.dispose();
});
