import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import sharp from 'sharp';
import { ImageError } from '../../src/errors.js';
import { FORMATS } from '../../src/image/format.js';
import { opaqueGif } from '../../src/image/gif.js';
import { heifCodec } from '../../src/image/heif.js';
import { decodeImage, imageLibrary } from '../../src/image/index.js';
import { signatureOf } from '../../src/image/signature.js';
import { longestStretchMs, mainThreadMs } from '../stretch.js';

// Pixels against PIL, for every kind of file: evaluators/preprocessing.test.ts.
const pictures = fileURLToPath(new URL('../golden/evaluators/pictures/', import.meta.url));
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

test('an animation in AVIF, whose brand libvips does not know, gives its picture', async () => {
  const { data, width, height } = await decodeImage(join(golden, 'animation.avif'));
  const expected = await decodeImage(join(golden, 'drawing.png'));
  assert.deepEqual([width, height], [40, 30]);
  const most = data.reduce((found, level, at) => Math.max(found, Math.abs(level - (expected.data[at] ?? 0))), 0);
  assert.ok(most < 12, `${most} of 255`);
});

test('an AVIF whose first box has its size in 64 bits gives its picture', async () => {
  const avif = await sharp(photo).avif().toBuffer();
  const expected = await decodeImage(Buffer.from(avif));
  const size = avif.readUInt32BE(0);
  assert.ok(avif.subarray(4, 8).equals(Buffer.from('ftyp')) && size >= 28);
  const kept = Buffer.from(avif.subarray(8, size - 8)); // all but the last two brands
  avif.writeUInt32BE(1, 0);
  avif.writeBigUInt64BE(BigInt(size), 8);
  avif.set(kept, 16);
  const { data, width, height } = await decodeImage(avif);
  assert.deepEqual([width, height], [96, 72]);
  assert.equal(Buffer.compare(data, expected.data), 0);
});

test('a HEIF of as many boxes and items as are looked at is read in milliseconds', () => {
  const box = (type: string, ...parts: readonly Uint8Array[]) => {
    const content = Buffer.concat(parts);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + content.length);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, content]);
  };
  const item = (id: number) => box('infe', Buffer.from([2, 0, 0, 0, id >> 8, id & 255, 0, 0]), Buffer.from('none'));
  const items = Array.from({ length: 4096 }, (_, id) => item(id));
  const free = Array.from({ length: 4094 }, () => box('free'));
  const iinf = box('iinf', Buffer.from([0, 0, 0, 0, 16, 0]), ...items);
  const pitm = box('pitm', Buffer.from([0, 0, 0, 0, 255, 255]));
  const meta = box('meta', Buffer.alloc(4), iinf, ...free, pitm);
  const bytes = Buffer.concat([box('ftyp', Buffer.from('avif\0\0\0\0avif')), meta]);
  heifCodec(bytes.subarray(0, 1000)); // compiles the code
  const from = mainThreadMs();
  assert.equal(heifCodec(bytes), undefined);
  const took = mainThreadMs() - from;
  assert.ok(took < 50, `${took.toFixed(1)} ms`);
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

const golden = fileURLToPath(new URL('../golden/image/', import.meta.url));
const AS_PIL = JSON.parse(readFileSync(join(golden, 'read.json'), 'utf8')) as Record<
  string,
  { width: number; height: number; rgbSha256: string }
>;
for (const [name, expected] of Object.entries(AS_PIL)) {
  test(`${name}: every pixel equals PIL's, transparent ones and what lies outside the frame too`, async () => {
    const { data, width, height } = await decodeImage(join(golden, name));
    assert.deepEqual([width, height], [expected.width, expected.height]);
    assert.equal(createHash('sha256').update(data).digest('hex'), expected.rgbSha256);
  });
}

test('the bytes of a GIF that a caller gave stay as they are', async () => {
  const bytes = await readFile(join(golden, 'transp.gif'));
  const before = bytes.toString('hex');
  await decodeImage(bytes);
  assert.equal(bytes.toString('hex'), before);
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

test('data: URLs: escapes and base64 groups across pieces, white space, both alphabets, padding', async () => {
  const png = await readFile(join(pictures, 'photo.png'));
  const expected = await decodeImage(png);
  const same = async (url: string) =>
    assert.equal(Buffer.compare((await decodeImage(url)).data, expected.data), 0, url.slice(0, 60));
  const escaped = [...png].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const base64 = png.toString('base64');
  for (const shift of [0, 1, 2, 3]) {
    // White space in base64 is passed over, so it moves what follows over the borders of the pieces.
    const blanks = ' '.repeat(2 ** 18 - 50 + shift);
    await same(`data:image/png;base64,${base64.slice(0, 41)}${blanks}${base64.slice(41)}`);
    await same(`data:image/png;base64,${blanks}${base64.replaceAll('+', '%2B').replaceAll('A', '%41')}`);
    await same(`data:image/png,${escaped}${'x'.repeat(shift)}${'%00'.repeat(2 ** 17)}`);
  }
  await same(`data:image/png; BASE64 ,${png.toString('base64url')}`);
  await same(`data:image/png;base64,${base64.match(/.{1,76}/g)?.join('\r\n')}`);
  for (const wrong of ['AB=C', 'A===', `${base64.replace(/=+$/, '')}=\n=\n=`, 'é', `=${' '.repeat(2 ** 18)}A`]) {
    await assert.rejects(decodeImage(`data:image/png;base64,${wrong}`), { message: /not base64/ }, wrong.slice(0, 20));
  }
});

test('a data: URL of twice the length takes about twice the time', async () => {
  const milliseconds = async (count: number) => {
    const url = `data:image/png,${'%20'.repeat(count)}`;
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const startedAt = performance.now();
      await assert.rejects(decodeImage(url), { code: 'ERR_IMAGE_UNREADABLE' });
      best = Math.min(best, performance.now() - startedAt);
    }
    return best;
  };
  await milliseconds(100_000);
  const [one, two] = [await milliseconds(1_000_000), await milliseconds(2_000_000)];
  assert.ok(two < 3.5 * one + 50, `${one.toFixed()} and ${two.toFixed()} ms`);
});

test('encoded bytes are copied at the call', async () => {
  const expected = await decodeImage(photo);
  const bytes = Uint8Array.from(await readFile(photo));
  const decoding = decodeImage(bytes);
  bytes.fill(0);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  assert.equal(Buffer.compare((await decoding).data, expected.data), 0);
});

test('CMYK with alpha keeps its colours', async () => {
  const inks = [10, 200, 30, 40];
  const tiff = (channels: 4 | 5) => {
    const data = Buffer.from(Array.from({ length: 12 }, () => [...inks, 128].slice(0, channels)).flat());
    const entries: [tag: number, type: number, count: number, value: number][] = [
      [256, 4, 1, 4],
      [257, 4, 1, 3],
      [258, 3, channels, 0],
      [259, 3, 1, 1],
      [262, 3, 1, 5],
      [273, 4, 1, 8],
      [277, 3, 1, channels],
      [278, 4, 1, 3],
      [279, 4, 1, data.length],
      ...(channels === 5 ? ([[338, 3, 1, 2]] as [number, number, number, number][]) : []),
    ];
    const at = 8 + data.length;
    const file = Buffer.alloc(at + 2 + entries.length * 12 + 4 + channels * 2);
    file.write('II*\0', 'latin1');
    file.writeUInt32LE(at, 4);
    data.copy(file, 8);
    file.writeUInt16LE(entries.length, at);
    const bitsAt = at + 2 + entries.length * 12 + 4;
    for (let i = 0; i < channels; i++) file.writeUInt16LE(8, bitsAt + i * 2);
    for (const [index, [tag, type, count, value]] of entries.entries()) {
      const entry = at + 2 + index * 12;
      file.writeUInt16LE(tag, entry);
      file.writeUInt16LE(type, entry + 2);
      file.writeUInt32LE(count, entry + 4);
      file.writeUInt32LE(tag === 258 ? bitsAt : value, entry + 8);
    }
    return file;
  };
  const plain = [...(await decodeImage(tiff(4))).data];
  assert.deepEqual([...(await decodeImage(tiff(5))).data], plain);
  assert.equal(plain.length, 36);
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

test('bytes and pixels of another realm are what they are', async () => {
  const bytes = readFileSync(photo);
  const other = runInNewContext('Uint8Array') as typeof Uint8Array;
  const decoded = await decodeImage(bytes);
  assert.equal(Buffer.compare((await decodeImage(other.from(bytes))).data, decoded.data), 0);
  const { width, height } = decoded;
  const { data } = await decodeImage({ data: other.from(decoded.data), width, height });
  assert.equal(Buffer.compare(data, decoded.data), 0);
});

test('a GIF of millions of empty blocks gives the event loop its turns', async () => {
  const bytes = Buffer.alloc(60_000_000, Buffer.from([0x21, 0xff, 0]));
  bytes.write('GIF89a', 0, 'latin1');
  bytes.set([1, 0, 1, 0, 0, 0, 0], 6);
  bytes.set([0x21, 0xff, 0], 13);
  for (let at = 13; at + 3 <= bytes.length; at += 3) bytes.set([0x21, 0xff, 0], at);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const frame = await opaqueGif(bytes, 'The picture');
  clearInterval(timer);
  assert.equal(frame, undefined);
  assert.ok(turns > 3, `${turns} turns`);
});

test('the event loop turns through a GIF, however its blocks are shared among its extensions', async () => {
  // The blocks of an extension, each of one byte; of few extensions each has very many.
  for (const blockCount of [1, 1000, 2 ** 19, 2 ** 21]) {
    const extension = Buffer.alloc(3 + 2 * blockCount, 1);
    extension.set([0x21, 0xff]);
    extension[extension.length - 1] = 0;
    const bytes = Buffer.alloc(64 * 2 ** 20);
    bytes.write('GIF89a\x01\0\x01', 'latin1');
    bytes.fill(extension, 13);
    const longest = await longestStretchMs(async () => assert.equal(await opaqueGif(bytes, 'The picture'), undefined));
    assert.ok(longest < 50, `${longest.toFixed(1)} ms, ${blockCount} blocks of each`);
  }
});
