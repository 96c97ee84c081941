/**
 * Pictures to pixels: from where, of every kind of file, and without holding up the event loop. More of them against PIL:
 * evaluators/preprocessing.test.ts.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import sharp from 'sharp';
import { opaqueGif } from '../../src/image/gif.js';
import { heifCodec } from '../../src/image/heif.js';
import { decodeImage } from '../../src/image/index.js';
import { assertTurns } from '../stretch.js';
import { golden, photo, pictures } from './pictures.js';

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

test('a HEIF of as many boxes and items as are looked at is read in milliseconds', async () => {
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
  await assertTurns(async () => assert.equal(heifCodec(bytes), undefined));
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
    const look = async () => assert.equal(await opaqueGif(bytes, 'The picture'), undefined);
    await assertTurns(look, `${blockCount} blocks of each:`);
  }
});
