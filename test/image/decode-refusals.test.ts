/** What is no picture, or none that is read: each is refused by its name. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { ImageError } from '../../src/errors.js';
import { FORMATS } from '../../src/image/format.js';
import { decodeImage, imageLibrary } from '../../src/image/index.js';
import { signatureOf } from '../../src/image/signature.js';
import { golden, photo, pictures } from './pictures.js';

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-image-'));
});
after(() => rm(folder, { recursive: true }));

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
const REFUSED: [string, () => unknown, string, RegExp][] = [
  ['a missing file', () => join(folder, 'none.jpg'), 'ERR_IMAGE_NOT_FOUND', /not found/],
  [
    'a missing file far down',
    () => join(folder, 'deep'.repeat(40), 'none.jpg'),
    'ERR_IMAGE_NOT_FOUND',
    /none\.jpg" was not/,
  ],
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
  ['what lies in a store', () => 's3://bucket/a.png', 'ERR_IMAGE_UNREADABLE', /"s3:.* nothing is fetched/],
  ['a file whose name has a colon', () => 'ab:c.png', 'ERR_IMAGE_NOT_FOUND', /"ab:c\.png" was not found/],
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
  const processorMs = async (work: () => Promise<unknown>) => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  const refusedMs = await processorMs(() =>
    assert.rejects(decodeImage(path), { name: 'ImageError', code: 'ERR_IMAGE_TOO_LARGE', message: /12000 x 9000/ }),
  );
  const decodedMs = await processorMs(() => sharp(path, { limitInputPixels: false }).raw().toBuffer());
  assert.ok(refusedMs < decodedMs / 2, `${refusedMs} ms, where decoding takes ${decodedMs} ms`);
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

test('a GIF without colours is refused', async () => {
  const bytes = await readFile(join(golden, 'inter-trans.gif'));
  const bare = Buffer.concat([bytes.subarray(0, 13), bytes.subarray(13 + 48)]);
  bare[10] = 0;
  await assert.rejects(decodeImage(bare), { name: 'ImageError', message: /is a GIF without colours/ });
});

const UNREAD: readonly (readonly [string, RegExp])[] = [
  ['x.heic', /compressed with HEVC, as HEIC is, which is not read here\. .*convert it to JPEG or PNG first/],
  ['hevc.avif', /compressed with HEVC/],
  ['hevc-brand.avif', /compressed with HEVC/],
  ['palette-short.tif', /a TIFF whose palette has 30 values where its samples need 768/],
  ['lzma.tif', /a TIFF compressed with LZMA, which is not read here/],
  ['greyfloat01.tif', /samples of an unknown meaning \(float\)/],
  ['half.tif', /\(float\)/],
  ['s16.tif', /\(short\)/],
  ['ycbcr.tif', /a TIFF of YCbCr samples, which are not read here/],
  ['damaged-palette.bmp', /expected 256 colours, received fewer/],
];
for (const [name, message] of UNREAD) {
  test(`refused rather than read wrongly: ${name}`, async () => {
    await assert.rejects(decodeImage(join(golden, name)), {
      name: 'ImageError',
      code: 'ERR_IMAGE_UNREADABLE',
      message,
    });
  });
}

const letters = (text: string) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(64)]);
const OTHERS: readonly (readonly [Buffer, string])[] = [
  [letters('\xff\x0a'), 'JPEG XL'],
  [letters('\0\0\0\x0cJXL \r\n\x87\n'), 'JPEG XL'],
  [letters('\0\0\0\x0cjP  \r\n\x87\n'), 'JPEG 2000'],
  [letters('8BPS\0\x01'), 'a Photoshop document'],
  [letters('\0\0\x01\0\x01\0'), 'ICO'],
  [letters('\0\0\x02\0\0\0\0\0'), 'TGA'],
  [Buffer.concat([Buffer.alloc(40, 9), Buffer.from('TRUEVISION-XFILE.\0')]), 'TGA'],
  [letters('qoif'), 'QOI'],
  [letters('P6\n2 2\n255\n'), 'PNM'],
  [letters('%PDF-1.7'), 'PDF'],
  [letters('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a -->\n<svg xmlns="x">'), 'SVG'],
  [letters('<!DOCTYPE html>'), 'a web page'],
  [letters('\0\0\0\x18ftypisom\0\0\0\0isommp41'), 'a video'],
  [letters('\0\0\0\x18ftypcrx \0\0\0\x01crx isom'), "a camera's raw file"],
  [letters('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'compressed with HEVC'],
  [letters('version https://git-lfs.github.com/spec/v1\n'), 'a pointer of Git LFS'],
];
for (const [bytes, name] of OTHERS) {
  test(`refused by its name: ${name}, ${JSON.stringify(bytes.subarray(0, 12).toString('latin1'))}`, async () => {
    await assert.rejects(decodeImage(bytes), (error) => {
      assert.ok(error instanceof ImageError);
      const { code, message } = error;
      assert.equal(code, 'ERR_IMAGE_UNREADABLE');
      assert.ok(
        message.startsWith(`The picture is ${name}`) && message.includes('is not read here. Expected'),
        message,
      );
      return true;
    });
  });
}

test('what a decoder lacks is not called damaged, and what is cut off is', async () => {
  const bytes = await readFile(photo);
  const deep = Buffer.from(bytes);
  deep[deep.indexOf(Buffer.from([0xff, 0xc0])) + 4] = 12;
  await assert.rejects(decodeImage(deep), { message: /is of a form of JPEG that is not read here/ });
  for (const [name, length] of [
    ['photo.png', 20],
    ['photo.tif', 60],
    ['photo.webp', 40],
    ['palette.gif', 30],
  ] as const)
    await assert.rejects(decodeImage((await readFile(join(pictures, name))).subarray(0, length)), {
      message: /is damaged or incomplete/,
    });
});

test('a limit that a caller raised beyond the memory is an ImageError', async () => {
  const bytes = await readFile(join(golden, 'transp.gif'));
  bytes.fill(0xff, 6, 10);
  await assert.rejects(decodeImage(bytes), {
    code: 'ERR_IMAGE_TOO_LARGE',
    message: /65535 x 65535 .* raise maxPixels/,
  });
  await assert.rejects(decodeImage(bytes, { maxPixels: 2 ** 40 }), {
    code: 'ERR_IMAGE_TOO_LARGE',
    message: /but there is none/,
  });
});

test('no format is listed that is refused by its first bytes', () => {
  const refused = [
    ['jp2', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['jp2k', '\xffO\xffQ'],
    ['jxl', '\xff\x0a'],
    ['svg', '<svg xmlns="x">'],
    ['pdf', '%PDF-1.7'],
    ['ppm', 'P6\n2 2\n255\n'],
    ['fits', 'SIMPLE  ='],
    ['rad', '#?RADIANCE'],
    ['exr', 'v/1\x01'],
  ] as const;
  for (const [format, start] of refused) {
    assert.ok((signatureOf(letters(start))?.advice ?? null) !== null, start);
    assert.ok(!FORMATS.has(format), format);
  }
});

test('no message promises a format that is not read', async () => {
  const { formats } = await imageLibrary();
  for (const source of ['none', Buffer.from('nothing'), new Uint8Array(0)]) {
    await assert.rejects(decodeImage(source), ({ message }: Error) => {
      assert.ok(formats.includes('heic') || !message.includes('HEIC'), message);
      return true;
    });
  }
});

test('a data: URL with characters that are no bytes is refused', async () => {
  for (const url of [
    'data:image/png;base64,ŁŁŁŁ',
    'data:image/png,%89PNGŁ',
    'data:image/png;base64,iVBO\u{1F600}Rw0K',
  ]) {
    await assert.rejects(decodeImage(url), { code: 'ERR_IMAGE_UNREADABLE', message: /beyond ASCII/ });
  }
});
