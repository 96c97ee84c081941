import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImageError } from '../src/errors.js';
import { decodeImage } from '../src/image.js';
import { bmp, PIXELS } from './benchmark/bitmap.js';

test('bitmaps of 8, 24 and 32 bits, from below and from above, give their pixels', async () => {
  for (const bits of [8, 24, 32] as const) {
    for (const isTopDown of [false, true]) {
      const { data, width, height } = await decodeImage(bmp({ bits, isTopDown }));
      assert.deepEqual([width, height], [3, 2]);
      assert.deepEqual([...data], PIXELS.flat(), `${bits} bits, ${isTopDown ? 'top' : 'bottom'} first`);
    }
  }
});

test('broken bitmaps and other forms are refused in one sentence', async () => {
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = bmp({ bits: 24 });
    change(bytes);
    return bytes;
  };
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [bmp({ bits: 24 }).subarray(0, 70), /expected 78 bytes, received 70: fetch it again/],
    [bmp({ bits: 24 }).subarray(0, 40), /expected a header of 54 bytes/],
    [changed((bytes) => bytes.writeUInt16LE(4, 28)), /expected 8, 24 or 32 bits uncompressed, received 4 bits/],
    [changed((bytes) => bytes.writeUInt32LE(1, 30)), /uncompressed, received 24 bits: convert it to PNG/],
    [changed((bytes) => bytes.writeInt32LE(0, 22)), /with a width and a height/],
    [changed((bytes) => bytes.writeInt32LE(2 ** 30, 18)), /Expected at most 100000000 in all/],
  ];
  for (const [bytes, message] of cases) {
    await assert.rejects(decodeImage(bytes), (error) => error instanceof ImageError && message.test(error.message));
  }
  const outside = bmp({ bits: 8 });
  outside[54 + 24] = 99;
  await assert.rejects(decodeImage(outside), /expected colours below 6, received 99/);
});
