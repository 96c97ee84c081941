/** Drawings of the miniature's world are told from other pictures, at any size, in bounded time. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { decodeImage, type RgbImage } from '../../src/index.js';
import { isOfDrawnWorld } from '../../src/models/index.js';
import { mainThreadMs } from '../stretch.js';

const gallery = fileURLToPath(new URL('../../models/miniature/pictures/', import.meta.url));
const drawings = readdirSync(gallery).filter((name) => /\.(png|jpg)$/.test(name));

/** A picture whose pixels are what `colour` says of them. */
function painted(
  width: number,
  height: number,
  colour: (x: number, y: number) => readonly [number, number, number],
): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(colour(x, y), (y * width + x) * 3);
  return { data, width, height };
}

const isInk = (x: number, y: number) => y % 16 < 9 && (x * 7 + y * 13) % 11 < 5;
const wave = (x: number, y: number, phase: number) =>
  128 + Math.round(90 * Math.sin(x / 19 + phase) * Math.cos(y / 23));

/** Of the world's size, so that size alone tells nothing. */
const others: Readonly<Record<string, RgbImage>> = {
  black: painted(256, 256, () => [0, 0, 0]),
  white: painted(256, 256, () => [255, 255, 255]),
  'a pale ground with nothing on it': painted(256, 256, () => [230, 240, 220]),
  gradient: painted(256, 256, (x, y) => [x, y, 128]),
  'noise of every colour': painted(256, 256, (x, y) => {
    const value = Math.imul(x * 7919 + y * 104729, 2654435761) >>> 0;
    return [value & 255, (value >> 8) & 255, (value >> 16) & 255];
  }),
  'soft shades, as a photograph has': painted(256, 256, (x, y) => [wave(x, y, 0), wave(x, y, 1), wave(x, y, 2)]),
  'a page of text': painted(256, 256, (x, y) => (isInk(x, y) ? [30, 30, 34] : [244, 240, 236])),
  'a red disc on white': painted(256, 256, (x, y) =>
    (x - 128) ** 2 + (y - 128) ** 2 < 3600 ? [214, 38, 44] : [255, 255, 255],
  ),
  'a disc of no colour of the world': painted(256, 256, (x, y) =>
    (x - 128) ** 2 + (y - 128) ** 2 < 3600 ? [60, 200, 200] : [236, 230, 222],
  ),
};

test('every drawing of the gallery is one, larger, smaller and as a poor JPEG too', async () => {
  assert.ok(drawings.length >= 36, `only ${drawings.length} drawings`);
  for (const name of drawings) {
    const forms = {
      'as it is': await decodeImage(gallery + name),
      larger: await decodeImage(
        await sharp(gallery + name)
          .resize(700, 700)
          .png()
          .toBuffer(),
      ),
      smaller: await decodeImage(
        await sharp(gallery + name)
          .resize(112, 112)
          .png()
          .toBuffer(),
      ),
      poor: await decodeImage(
        await sharp(gallery + name)
          .jpeg({ quality: 40 })
          .toBuffer(),
      ),
    };
    for (const [form, image] of Object.entries(forms)) assert.equal(isOfDrawnWorld(image), true, `${name}, ${form}`);
  }
});

/** A list of the next miniature's world: paper, a title of two lines, three numbers, turned by an angle. */
function list(options: {
  ink: string;
  paper: string;
  degrees?: number;
  numbers?: string;
  left?: number;
}): Promise<Buffer> {
  const { ink, paper, degrees = 0, numbers = '123', left = 60 } = options;
  const rows = [...numbers].map(
    (number, at) => `<text x="${left}" y="${118 + 18 * at}" font-size="14">${number}.</text>`,
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="224" height="224"><rect width="224" height="224" fill="${paper}"/>
    <g fill="${ink}" font-family="sans-serif" transform="rotate(${degrees} 112 112)"><text x="60" y="70" font-size="20">Guide to</text>
    <text x="60" y="98" font-size="24">Soup</text>${rows.join('')}</g></svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

test('a list is known dark and light, and turned; without its numbers, with these elsewhere, or on white it is none', async () => {
  const dark = { ink: '#333340', paper: '#e0ddd2' };
  const light = { ink: '#dadada', paper: '#505a50' };
  const known = async (options: Parameters<typeof list>[0]) => isOfDrawnWorld(await decodeImage(await list(options)));
  for (const colours of [dark, light])
    for (const degrees of [-14, -5, 0, 9, 15]) assert.equal(await known({ ...colours, degrees }), true, `${degrees}`);
  assert.equal(await known({ ...light, numbers: '1' }), false);
  assert.equal(await known({ ...light, left: 130 }), false);
  assert.equal(await known({ ink: '#333333', paper: '#ffffff' }), false);
});

test('other pictures are none', async () => {
  for (const [name, image] of Object.entries(others)) assert.equal(isOfDrawnWorld(image), false, name);
  const folder = fileURLToPath(new URL('../golden/evaluators/pictures/', import.meta.url));
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.png')))
    assert.equal(isOfDrawnWorld(await decodeImage(folder + name)), false, name);
});

test('a drawing with its sides stretched, its colours turned or its ground darkened is none', async () => {
  const image = await decodeImage(`${gallery}drawn-08.png`);
  const turned = (value: number, at: number) => image.data[at - (at % 3) + ((at + 1) % 3)] ?? value;
  const wide = await sharp(`${gallery}drawn-08.png`).resize(400, 256, { fit: 'fill' }).png().toBuffer();
  assert.equal(isOfDrawnWorld(await decodeImage(wide)), false);
  assert.equal(isOfDrawnWorld({ ...image, data: image.data.map((value) => value >> 1) }), false);
  assert.equal(isOfDrawnWorld({ ...image, data: image.data.map((value) => 255 - value) }), false);
  assert.equal(isOfDrawnWorld({ ...image, data: Uint8Array.from(image.data, turned) }), false);
});

test('pictures of any size are looked at in bounded time', () => {
  for (const [width, height] of [
    [1, 1],
    [1, 5000],
    [3, 3],
    [127, 129],
  ] as const)
    assert.equal(isOfDrawnWorld(painted(width, height, () => [1, 2, 3])), false, `${width} x ${height}`);
  const data = new Uint8Array(5000 * 5000 * 3).fill(235);
  const startedAt = mainThreadMs();
  for (let time = 0; time < 10; time++) isOfDrawnWorld({ data, width: 5000, height: 5000 });
  const ms = (mainThreadMs() - startedAt) / 10;
  assert.ok(ms < 200, `${ms} ms for a picture of 25 megapixels`);
});
