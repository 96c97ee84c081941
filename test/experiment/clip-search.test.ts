import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbortError } from '../../src/errors.js';
import { between, type ClipSearchOptions, lowerClipScore } from '../../src/experiment/clip-search.js';
import type { RgbImage } from '../../src/types/picture.js';

const image: RgbImage = { data: new Uint8Array(24 * 24 * 3).fill(120), width: 24, height: 24 };

/** A score that a search can lower: the mean of the red channel, from 0 to 1. */
async function redness({ data }: RgbImage): Promise<number> {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += data[i] ?? 0;
  return sum / (data.length / 3) / 255;
}

const options: ClipSearchOptions = { limit: 16, queryCount: 120, goal: 0, seed: 1, score: redness };

test('the score falls, by no more than the limit allows, within the budget', async () => {
  let asked = 0;
  const found = await lowerClipScore(image, {
    ...options,
    score: async (one) => {
      asked++;
      return await redness(one);
    },
  });
  assert.equal(asked, 120);
  assert.equal(found.queryCount, asked);
  assert.ok(found.after < found.before - 0.02, `${found.before} to ${found.after}`);
  assert.equal(await redness(found.image), found.after);
  const most = found.image.data.reduce((worst, value) => Math.max(worst, Math.abs(value - 120)), 0);
  assert.equal(most, 16);
});

test('the same seed finds the same picture, another another', async () => {
  const [one, same, other] = await Promise.all([
    lowerClipScore(image, options),
    lowerClipScore(image, options),
    lowerClipScore(image, { ...options, seed: 2 }),
  ]);
  assert.deepEqual(one.image.data, same.image.data);
  assert.notDeepEqual(one.image.data, other.image.data);
});

test('it ends when the goal is reached', async () => {
  const found = await lowerClipScore(image, { ...options, goal: 120 / 255 - 0.005 });
  assert.ok(found.after < 120 / 255 - 0.005, `${found.after}`);
  assert.ok(found.queryCount < 120, `${found.queryCount} queries`);
  const done = await lowerClipScore(image, { ...options, goal: 1 });
  assert.deepEqual([done.queryCount, done.image.data], [1, image.data]);
});

test('a score that nothing lowers leaves the picture as it is', async () => {
  const found = await lowerClipScore(image, { ...options, score: async () => 0.3 });
  assert.deepEqual([found.before, found.after, found.image.data], [0.3, 0.3, image.data]);
});

test('it can be stopped', async () => {
  const controller = new AbortController();
  let asked = 0;
  const score = async (one: RgbImage) => {
    if (++asked === 5) controller.abort();
    return await redness(one);
  };
  await assert.rejects(lowerClipScore(image, { ...options, score, signal: controller.signal }), AbortError);
  assert.equal(asked, 5);
});

test('between two pictures', () => {
  const other: RgbImage = { ...image, data: new Uint8Array(image.data.length).fill(140) };
  assert.equal(between(image, other, 0.5).data[7], 130);
  assert.deepEqual(between(image, other, 0).data, image.data);
});
