/** Pictures by what they show: encoded once, shared while it lasts, given up when nobody waits, within a bound. */
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EncodedImages, type Model } from '../../src/engine/index.js';
import { AbortError } from '../../src/errors.js';
import { decodeImage } from '../../src/image/index.js';
import type { RgbImage } from '../../src/types/picture.js';
import { golden, tinyModel } from './fixture.js';

let model: Model;
let pictures: readonly [RgbImage, RgbImage, RgbImage];

before(async () => {
  model = await tinyModel();
  const decoded = await Promise.all(['square', 'wide', 'tall'].map((name) => decodeImage(golden(`${name}.png`))));
  pictures = decoded as unknown as typeof pictures;
});
after(() => model.dispose());

/** How many pictures are encoded while `work` runs; each waits until those who ask at once have asked, or left. */
async function encodings(work: () => Promise<void>): Promise<number> {
  const encodeImage = model.encodeImage.bind(model);
  const encode = mock.method(model, 'encodeImage', async (...asked: Parameters<typeof encodeImage>) => {
    await sleep(50);
    return await encodeImage(...asked);
  });
  try {
    await work();
    return encode.mock.callCount();
  } finally {
    encode.mock.restore();
  }
}

test('the same pixels are one picture, whoever asks, at once or later', async () => {
  const images = new EncodedImages(model);
  const count = await encodings(async () => {
    const [one, other] = await Promise.all([images.borrow(pictures[0]), images.borrow({ ...pictures[0] })]);
    assert.equal(one.image, other.image);
    one.release();
    one.release();
    other.release();
    const later = await images.borrow({ ...pictures[0], data: pictures[0].data.slice() });
    assert.equal(later.image, one.image);
    later.release();
    const changed = { ...pictures[0], data: pictures[0].data.map((value, at) => (at === 0 ? 255 - value : value)) };
    const different = await images.borrow(changed);
    assert.notEqual(different.image, one.image);
    different.release();
  });
  assert.equal(count, 2);
  images.dispose();
});

test('a picture that is known before its pixels are there: they are asked for where it is not kept', async () => {
  const images = new EncodedImages(model);
  const late = { key: async () => 'a key of its own', pixels: mock.fn(async () => pictures[0]) };
  const [one, other] = await Promise.all([images.borrow({ ...late }), images.borrow({ ...late })]);
  assert.equal(one.image, other.image);
  one.release();
  other.release();
  (await images.borrow({ ...late })).release();
  assert.equal(late.pixels.mock.callCount(), 1);
  images.clear();
  (await images.borrow({ ...late })).release();
  assert.equal(late.pixels.mock.callCount(), 2);
  const odd = Object.assign({ ...pictures[0] }, { pixels: () => assert.fail('what else it holds is not looked at') });
  (await images.borrow(odd)).release();
  images.dispose();
});

test('one of two who wait may leave; when both do, it is given up', async () => {
  const images = new EncodedImages(model);
  const count = await encodings(async () => {
    const [leaving, all] = [new AbortController(), new AbortController()];
    const left = images.borrow(pictures[1], { signal: leaving.signal });
    const stays = images.borrow(pictures[1]);
    setTimeout(() => leaving.abort(), 20);
    await assert.rejects(left, AbortError);
    (await stays).release();
    const both = [1, 2].map(() => images.borrow(pictures[2], { signal: all.signal }));
    setTimeout(() => all.abort(), 20);
    for (const one of both) await assert.rejects(one, AbortError);
    (await images.borrow(pictures[2])).release(); // nothing of it was kept
  });
  assert.equal(count, 3);
  images.dispose();
});

test('of what nobody uses, no more is kept than there is room for; what is used stays', async () => {
  const first = await new EncodedImages(model).borrow(pictures[0]);
  const images = new EncodedImages(model, first.image.embeddingBytes);
  const used = await images.borrow(pictures[0]);
  const count = await encodings(async () => {
    for (const one of [pictures[1], pictures[2], pictures[1]]) (await images.borrow(one)).release();
    (await images.borrow(pictures[0])).release();
  });
  assert.ok(count >= 2, `${count} were encoded again`);
  used.release();
  images.clear();
  assert.equal(await encodings(async () => (await images.borrow(pictures[0])).release()), 1);
  images.dispose();
  await assert.rejects(images.borrow(pictures[0]), { code: 'ERR_DISPOSED' });
});

test('the one used longest ago goes first', async () => {
  const { embeddingBytes } = (await new EncodedImages(model).borrow(pictures[0])).image;
  const images = new EncodedImages(model, 2 * embeddingBytes);
  const use = async (one: RgbImage) => (await images.borrow(one)).release();
  const [first, second, third] = pictures;
  for (const one of [first, second, first]) await use(one);
  assert.equal(await encodings(async () => await use(third)), 1); // and the second goes
  assert.equal(await encodings(async () => await use(first)), 0, 'it was used after the other');
  assert.equal(await encodings(async () => await use(third)), 0);
  assert.equal(await encodings(async () => await use(second)), 1);
  images.dispose();
});

test('what is forgotten while it is used is the user’s until it is given back', async () => {
  const images = new EncodedImages(model);
  const used = await images.borrow(pictures[0]);
  images.clear();
  assert.equal(await encodings(async () => (await images.borrow(pictures[0])).release()), 0);
  used.release();
  images.clear();
  assert.equal(await encodings(async () => (await images.borrow(pictures[0])).release()), 1);
  images.dispose();
});

test('disposed of while a picture is being encoded: who waits is told, and a signal that fired goes before', async () => {
  for (const isAborted of [false, true]) {
    const images = new EncodedImages(model);
    const controller = new AbortController();
    await encodings(async () => {
      const waiting = images.borrow(pictures[1], { signal: controller.signal });
      const told = assert.rejects(waiting, { code: isAborted ? 'ERR_ABORTED' : 'ERR_DISPOSED' });
      await sleep(10);
      if (isAborted) controller.abort();
      images.dispose();
      images.dispose();
      await told;
    });
    await assert.rejects(images.borrow(pictures[1]), { code: 'ERR_DISPOSED' });
  }
});
