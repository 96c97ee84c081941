/** Pixels in place or copied, and encodings that are cancelled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { NativeLogitsContext } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { contextOptions, loadTiny, prefilled, text } from './fixture.js';

const SIZE = { width: 300, height: 200 };
const BYTES = SIZE.width * SIZE.height * 3;

function paint<Data extends Uint8Array>(data: Data): Data {
  for (let i = 0; i < data.length; i++) data[i] = (i * 31) % 251;
  return data;
}

async function logitsBehind(model: NativeModel, context: NativeLogitsContext, image: NativeImage): Promise<number[]> {
  const sequence = await prefilled(context, [image, await text(model, ' What is this?')]);
  const logits = [...(await context.logits(sequence))];
  await context.release([sequence]);
  image.dispose();
  return logits;
}

test('pixels in shared memory are read in place, others are copied, and both give the same', async () => {
  const model = await loadTiny();
  const context = await model.createContext(contextOptions());
  const encoded = async (data: Uint8Array, spoil: (data: Uint8Array) => void) => {
    const { image } = model.encodeImage({ data, ...SIZE });
    spoil(data);
    return await logitsBehind(model, context, await image);
  };
  const expected = await encoded(paint(new Uint8Array(BYTES)), () => undefined);
  const window = new Uint8Array(new SharedArrayBuffer(BYTES + 99), 77, BYTES);
  const detach = (data: Uint8Array) => structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
  assert.deepEqual(await encoded(paint(window), () => undefined), expected);
  assert.deepEqual(await encoded(paint(new Uint8Array(BYTES)), (data) => data.fill(0)), expected);
  assert.deepEqual(await encoded(paint(new Uint8Array(BYTES)), detach), expected);
  assert.deepEqual(await encoded(paint(Buffer.alloc(BYTES)), () => undefined), expected);
  // In place: what is written before the encoder's turn is what it sees.
  const blocking = model.encodeImage({ data: new Uint8Array(3000 * 3000 * 3), width: 3000, height: 3000 });
  const shared = new Uint8Array(new SharedArrayBuffer(BYTES));
  const { image } = model.encodeImage({ data: shared, ...SIZE });
  paint(shared);
  (await blocking.image).dispose();
  assert.deepEqual(await logitsBehind(model, context, await image), expected);
  await model.dispose();
});

test('an encoding is cancelled in the queue and at any time, and the next one is right', async () => {
  const model = await loadTiny();
  const context = await model.createContext(contextOptions());
  const data = paint(new Uint8Array(BYTES));
  const expected = await logitsBehind(model, context, await model.encodeImage({ data, ...SIZE }).image);
  const cancelled = { code: 'CANCELLED' };
  const waiting = Array.from({ length: 5 }, () => model.encodeImage({ data, ...SIZE }));
  for (const { cancel } of waiting) cancel();
  const results = await Promise.allSettled(waiting.map(({ image }) => image));
  for (const result of results.slice(1))
    assert.ok(result.status === 'rejected' && result.reason.code === cancelled.code);
  for (let delay = 0; delay < 30; delay++) {
    const encoding = model.encodeImage({ data, ...SIZE });
    const next = model.encodeImage({ data, ...SIZE });
    const until = performance.now() + delay * 0.1;
    while (performance.now() < until);
    encoding.cancel();
    encoding.cancel();
    await encoding.image.then(
      (image) => image.dispose(),
      (error) => assert.equal(error.code, cancelled.code),
    );
    assert.deepEqual(
      await logitsBehind(model, context, await next.image),
      expected,
      `cancelled after ${delay / 10} ms`,
    );
  }
  const late = model.encodeImage({ data, ...SIZE });
  (await late.image).dispose();
  late.cancel(); // nothing happens
  await model.dispose();
});

test('shared pixels that nobody holds but the addon are there until it has read them', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const model = await loadTiny();
  const encodings = Array.from({ length: 20 }, () => {
    const data = paint(new Uint8Array(new SharedArrayBuffer(BYTES)));
    return model.encodeImage({ data, ...SIZE }).image;
  });
  collect();
  const images = await Promise.all(encodings);
  assert.ok(images.every((image) => image.tokenCount === 16));
  await model.dispose();
});
