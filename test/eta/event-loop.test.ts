/** The event loop keeps turning while an answer is made: no stretch of work on the main thread reaches 50 ms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { ImageSource } from '../../src/index.js';
import { goldenFolder } from '../evaluators/golden.js';
import { assertTurns, LIMIT_MS, longestStretchMs, mainThreadMs } from '../stretch.js';
import { collect, loadTiny, QUESTION, UNSAFE } from './tiny.js';

test('the event loop turns while ETA answers, aligns and streams', async () => {
  await using eta = await loadTiny({ candidateCount: 5, sentenceTokenLimit: 70, maxTokens: 300 });
  const image = `${goldenFolder}pictures/large.jpg`;
  const request = { ...QUESTION, image, thresholds: UNSAFE, whenStillUnsafe: 'return' as const };
  await eta.respond({ ...request, maxTokens: 5 }); // loads sharp, compiles the code
  await assertTurns(() => collect(eta, request));
});

/** 25 million pixels that compress well: what takes time is their number. */
const SIDE = 5000;
const plain = () => sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: '#a06020' } });
const cmyk = () => plain().toColourspace('cmyk').jpeg().toBuffer();
const grey = () => plain().greyscale().toColourspace('b-w').jpeg().toBuffer();

/** Twice as wide as high, with a header of 54 bytes. */
function bitmap(): Buffer {
  const [width, height] = [7000, 3500];
  const bytes = Buffer.alloc(54 + width * height * 3, 99);
  bytes.fill(0, 0, 54);
  bytes.write('BM', 'latin1');
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}

const LARGE: readonly (readonly [what: string, make: () => ImageSource | Promise<ImageSource>])[] = [
  ['a JPEG of 25 megapixels', () => plain().jpeg().toBuffer()],
  ['CMYK of 25 megapixels', cmyk],
  ['grey of 25 megapixels', grey],
  ['a bitmap of 24 megapixels', bitmap],
  ['pixels of 25 megapixels', () => ({ data: new Uint8Array(SIDE * SIDE * 3).fill(9), width: SIDE, height: SIDE })],
  [
    'a percent-encoded data: URL of 15 MB',
    async () => {
      const png = await plain().resize(64).png().toBuffer();
      return `data:image/png,${png.toString('hex').replace(/../g, '%$&')}${'%20'.repeat(5e6)}`;
    },
  ],
  [
    'a base64 data: URL of 15 MB, in lines',
    async () => {
      const png = Buffer.concat([await plain().resize(64).png().toBuffer(), Buffer.alloc(11e6)]);
      return `data:image/png;base64,${png.toString('base64').replace(/.{76}/g, '$&\n')}`;
    },
  ],
];
for (const [what, make] of LARGE) {
  test(`the event loop turns while ETA looks at ${what}`, async () => {
    await using eta = await loadTiny({ maxTokens: 5 });
    const image = await make();
    await assertTurns(() => eta.respond({ ...QUESTION, image, maxTokens: 5 }));
  });
}

test('the check sees a loop that is blocked', async () => {
  const longest = await longestStretchMs(async () => {
    const until = mainThreadMs() + 2 * LIMIT_MS;
    while (mainThreadMs() < until);
  });
  assert.ok(longest > LIMIT_MS, `${longest.toFixed(1)} ms`);
});
