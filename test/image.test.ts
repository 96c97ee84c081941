import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { decodeImage } from '../src/image.js';

// Pixels against PIL, for every kind of file: evaluators/preprocessing.test.ts.
const pictures = fileURLToPath(new URL('golden/evaluators/pictures/', import.meta.url));
const photo = join(pictures, 'photo.jpg');
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-image-'));
});
after(() => rm(folder, { recursive: true }));

test('a path, a file: URL, bytes and data: URLs give the same pixels', async () => {
  const bytes = await readFile(photo);
  const expected = await decodeImage(photo);
  const url = pathToFileURL(photo);
  const base64 = bytes.toString('base64');
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  for (const source of [
    url,
    url.href,
    bytes,
    new Uint8Array(bytes),
    `data:image/jpeg;base64,${base64}`,
    new URL(`data:image/jpeg;base64,${base64}`),
    `data:image/jpeg,${percent}`,
  ]) {
    const { data, width, height } = await decodeImage(source);
    assert.ok(width === expected.width && height === expected.height && Buffer.compare(data, expected.data) === 0);
  }
});

test('pixels pass through', async () => {
  const image = { data: new Uint8Array(12), width: 2, height: 2 };
  assert.equal(await decodeImage(image), image);
});

test('16-bit grey keeps its upper 8 bits (PIL would saturate it)', async () => {
  const png = await sharp(new Uint16Array([0, 0x1234, 0x80ff, 0xffff]), { raw: { width: 2, height: 2, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  assert.deepEqual([...(await decodeImage(png)).data], [0, 0, 0, 0x12, 0x12, 0x12, 0x80, 0x80, 0x80, 0xff, 0xff, 0xff]);
});

test('AVIF, and the first frame of an animation', async () => {
  const avif = await sharp(photo).avif().toBuffer();
  assert.deepEqual([(await decodeImage(avif)).width, (await decodeImage(avif)).height], [96, 72]);
  const frame = (level: number) => ({
    create: { width: 8, height: 8, channels: 3 as const, background: { r: level, g: level, b: level } },
  });
  const frames = await Promise.all([10, 200].map((level) => sharp(frame(level)).png().toBuffer()));
  const gif = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
  const { data, height } = await decodeImage(gif);
  assert.equal(height, 8);
  assert.ok((data[0] ?? 255) < 20);
});

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
const REFUSED: [string, () => unknown, string, RegExp][] = [
  ['a missing file', () => join(folder, 'none.jpg'), 'ERR_IMAGE_NOT_FOUND', /not found/],
  ['an empty name', () => '', 'ERR_IMAGE_NOT_FOUND', /not found/],
  ['a folder', () => folder, 'ERR_IMAGE_UNREADABLE', /is a folder/],
  ['a device', () => '/dev/zero', 'ERR_IMAGE_UNREADABLE', /no regular file/],
  ['an empty file', () => new Uint8Array(0), 'ERR_IMAGE_UNREADABLE', /is empty/],
  ['a text', () => Buffer.from('this is no picture'), 'ERR_IMAGE_UNREADABLE', /begin with "this is no/],
  [
    'a truncated JPEG',
    async () => (await readFile(photo)).subarray(0, 1500),
    'ERR_IMAGE_UNREADABLE',
    /damaged or incomplete/,
  ],
  [
    'a truncated PNG',
    async () => (await readFile(join(pictures, 'photo.png'))).subarray(0, 3000),
    'ERR_IMAGE_UNREADABLE',
    /damaged or incomplete/,
  ],
  ['an SVG', () => Buffer.from(SVG), 'ERR_IMAGE_UNREADABLE', /is SVG/],
  ['an http URL', () => 'https://example.org/a.png', 'ERR_IMAGE_UNREADABLE', /nothing is fetched/],
  ['an http URL object', () => new URL('http://example.org/a.png'), 'ERR_IMAGE_UNREADABLE', /nothing is fetched/],
  ['a data: URL without comma', () => 'data:image/png;base64', 'ERR_IMAGE_UNREADABLE', /no comma/],
  ['a data: URL of other letters', () => 'data:image/png;base64,!!!', 'ERR_IMAGE_UNREADABLE', /not base64/],
  ['a file: URL of another host', () => 'file://host%2F/x', 'ERR_IMAGE_NOT_FOUND', /file:/],
  ['a number', () => 7, 'ERR_IMAGE_UNREADABLE', /received 7/],
  ['null', () => null, 'ERR_IMAGE_UNREADABLE', /received null/],
  [
    'pixels of the wrong length',
    () => ({ data: new Uint8Array(11), width: 2, height: 2 }),
    'ERR_IMAGE_UNREADABLE',
    /= 12 bytes.*received 11 bytes/,
  ],
  [
    'pixels without width',
    () => ({ data: new Uint8Array(12), width: Number.NaN, height: 2 }),
    'ERR_IMAGE_UNREADABLE',
    /width and height/,
  ],
  ['no pixels at all', () => ({}), 'ERR_IMAGE_UNREADABLE', /width and height/],
];
for (const [what, source, code, message] of REFUSED) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(decodeImage((await source()) as string), { name: 'ImageError', code, message });
  });
}

test('a pixel bomb is refused before it is decoded', async () => {
  const path = join(folder, 'bomb.png');
  await writeFile(
    path,
    await sharp({ create: { width: 12000, height: 9000, channels: 3, background: 'red' }, limitInputPixels: false })
      .png()
      .toBuffer(),
  );
  const startedAt = performance.now();
  await assert.rejects(decodeImage(path), { name: 'ImageError', code: 'ERR_IMAGE_TOO_LARGE', message: /12000 x 9000/ });
  assert.ok(performance.now() - startedAt < 500);
  await assert.rejects(decodeImage(photo, { maxPixels: 100 }), { code: 'ERR_IMAGE_TOO_LARGE' });
  await assert.rejects(decodeImage({ data: new Uint8Array(12), width: 2, height: 2 }, { maxPixels: 3 }), {
    code: 'ERR_IMAGE_TOO_LARGE',
  });
});

test('abort, and options that are none', async () => {
  await assert.rejects(decodeImage(photo, { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
  const controller = new AbortController();
  const pending = decodeImage(photo, { signal: controller.signal });
  controller.abort();
  await assert.rejects(pending, { code: 'ERR_ABORTED' });
  await assert.rejects(decodeImage(photo, { maxPixel: 1 } as never), { code: 'ERR_UNKNOWN_OPTION' });
  await assert.rejects(decodeImage(photo, { maxPixels: 0 }), { code: 'ERR_INVALID_OPTION' });
});
