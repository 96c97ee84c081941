import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beside,
  blurred,
  collage,
  cropped,
  drawsOf,
  flattened,
  greyed,
  inverted,
  meanColour,
  resized,
  rotated,
  shrunk,
  widened,
  withNoise,
} from '../../src/experiment/pixels.js';
import type { RgbImage } from '../../src/types/picture.js';

/** A picture whose pixel at (x, y) is what the function says. */
function picture(
  width: number,
  height: number,
  at: (x: number, y: number) => readonly [number, number, number],
): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(at(x, y), (y * width + x) * 3);
  return { data, width, height };
}

const pixel = ({ data, width }: RgbImage, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

const plain = picture(8, 6, () => [10, 100, 200]);
const ramp = picture(9, 9, (x, y) => [x * 10, y * 20, 50]);

test('no change touches the picture that it is given', () => {
  const before = Uint8Array.from(ramp.data);
  withNoise(ramp, 40, drawsOf(1));
  for (const change of [blurred, cropped, shrunk, rotated, flattened, inverted, greyed]) change(ramp, 0.5);
  widened(ramp, 2);
  beside(ramp, plain, 1);
  blurred(ramp, 2);
  collage(ramp, [plain], 2);
  assert.deepEqual(ramp.data, before);
});

test('draws are the same for a seed, others for another, and spread evenly', () => {
  const of = (seed: number) => Array.from({ length: 1000 }, drawsOf(seed));
  assert.deepEqual(of(5), of(5));
  assert.notDeepEqual(of(5), of(6));
  const values = of(7);
  assert.ok(
    values.every((value) => value >= 0 && value < 1),
    'a draw is outside 0 to 1',
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean - 0.5) < 0.03, `mean ${mean}`);
});

test('noise has the deviation that is asked for', () => {
  const grey = picture(64, 64, () => [128, 128, 128]);
  const { data } = withNoise(grey, 20, drawsOf(3));
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
  assert.ok(Math.abs(mean - 128) < 1, `mean ${mean}`);
  assert.ok(Math.abs(deviation - 20) < 0.6, `deviation ${deviation}`);
  assert.deepEqual(withNoise(grey, 0, drawsOf(3)).data, grey.data);
});

test('a blur keeps what is even, and spreads a point without losing it', () => {
  assert.deepEqual(blurred(plain, 2).data, plain.data);
  const point = picture(15, 15, (x, y) => (x === 7 && y === 7 ? [255, 255, 255] : [0, 0, 0]));
  const found = blurred(point, 1);
  assert.ok((pixel(found, 7, 7)[0] ?? 0) < 40, 'the point is still there');
  assert.deepEqual(pixel(found, 6, 7), pixel(found, 8, 7));
  assert.deepEqual(pixel(found, 7, 6), pixel(found, 7, 8));
  assert.ok((pixel(found, 5, 7)[0] ?? 0) > 0, 'the point did not spread');
});

test('a crop takes the middle', () => {
  const found = cropped(ramp, 1 / 3);
  assert.deepEqual([found.width, found.height], [3, 3]);
  assert.deepEqual(pixel(found, 0, 0), pixel(ramp, 3, 3));
  assert.deepEqual(cropped(plain, 1).data, plain.data);
  assert.deepEqual([cropped(plain, 0.001).width, cropped(plain, 0.001).height], [1, 1]);
});

test('resizing takes means, or repeats', () => {
  const halves = picture(4, 2, (x) => (x % 2 === 0 ? [0, 0, 0] : [100, 100, 100]));
  assert.deepEqual(pixel(resized(halves, 2, 1), 0, 0), [50, 50, 50]);
  assert.deepEqual(pixel(resized(halves, 8, 4), 2, 3), [100, 100, 100]);
});

test('a smaller picture stands in the middle of its mean colour', () => {
  const spot = picture(12, 12, (x, y) => (x >= 4 && x < 8 && y >= 4 && y < 8 ? [240, 0, 0] : [0, 0, 0]));
  const found = shrunk(spot, 0.5);
  assert.deepEqual([found.width, found.height], [12, 12]);
  assert.deepEqual(
    pixel(found, 0, 0),
    meanColour(spot).map((value) => Math.round(value)),
  );
  assert.deepEqual(pixel(found, 6, 6), [240, 0, 0]);
});

test('a rotation by nothing changes nothing, and by 90 degrees turns the corners', () => {
  assert.deepEqual(rotated(ramp, 0).data, ramp.data);
  const found = rotated(ramp, 90);
  assert.deepEqual(pixel(found, 0, 8), pixel(ramp, 0, 0));
  assert.deepEqual(pixel(found, 4, 4), pixel(ramp, 4, 4));
});

test('colours: flat, negative and grey go all the way, and half of it', () => {
  const mean = meanColour(ramp).map((value) => Math.round(value));
  assert.deepEqual(pixel(flattened(ramp, 0), 3, 5), mean);
  assert.deepEqual(flattened(ramp, 1).data, ramp.data);
  assert.deepEqual(pixel(inverted(plain, 1), 0, 0), [245, 155, 55]);
  assert.deepEqual(inverted(plain, 0).data, plain.data);
  assert.deepEqual(pixel(greyed(plain, 1), 0, 0), [84, 84, 84]);
  assert.deepEqual(pixel(greyed(plain, 0.5), 0, 0), [47, 92, 142]);
});

test('a wide picture stands at the left of its mean colour; a neighbour to its right, as high', () => {
  const wide = widened(ramp, 2);
  assert.deepEqual([wide.width, wide.height], [18, 9]);
  assert.deepEqual(pixel(wide, 8, 4), pixel(ramp, 8, 4));
  assert.deepEqual(
    pixel(wide, 9, 4),
    meanColour(ramp).map((value) => Math.round(value)),
  );
  const pair = beside(ramp, plain, 0.5);
  assert.deepEqual([pair.width, pair.height], [14, 9]);
  assert.deepEqual(
    [pixel(pair, 8, 8), pixel(pair, 9, 0), pixel(pair, 13, 8)],
    [pixel(ramp, 8, 8), [10, 100, 200], [10, 100, 200]],
  );
});

test('a collage holds the picture once, and the others around it', () => {
  const one = picture(8, 8, () => [255, 0, 0]);
  const others = [picture(3, 5, () => [0, 255, 0]), picture(9, 9, () => [0, 0, 255])];
  const found = collage(one, others, 2);
  assert.deepEqual([found.width, found.height], [8, 8]);
  assert.deepEqual(
    [pixel(found, 0, 0), pixel(found, 7, 0), pixel(found, 0, 7), pixel(found, 7, 7)],
    [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [0, 255, 0],
    ],
  );
});
