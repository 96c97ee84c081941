import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImageError } from '../../src/errors.js';
import { decodeImage } from '../../src/image/index.js';
import { bmp, PIXELS } from '../benchmark/bitmap.js';
import { assertTurns } from '../stretch.js';

test('bitmaps of 8, 24 and 32 bits, from below and from above, give their pixels', async () => {
  for (const bits of [8, 24, 32] as const) {
    for (const isTopDown of [false, true]) {
      const { data, width, height } = await decodeImage(bmp({ bits, isTopDown }));
      assert.deepEqual([width, height], [3, 2]);
      assert.deepEqual([...data], PIXELS.flat(), `${bits} bits, ${isTopDown ? 'top' : 'bottom'} first`);
    }
  }
});

test('a bitmap of one long row is read in pieces', async () => {
  const width = 30_000_000;
  const bytes = Buffer.alloc(54 + width * 3, 7);
  bmp({ bits: 24 }).copy(bytes, 0, 0, 54);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(1, 22);
  bytes.writeUInt32LE(bytes.length, 2);
  let picture: Awaited<ReturnType<typeof decodeImage>> | undefined;
  await assertTurns(async () => {
    picture = await decodeImage(bytes);
  });
  assert.deepEqual(picture?.data.subarray(-3), Uint8Array.of(7, 7, 7));
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
    [changed((bytes) => bytes.writeUInt32LE(1, 30)), /uncompressed, received 24 bits, run lengths: convert it to PNG/],
    [changed((bytes) => bytes.writeInt32LE(0, 22)), /with a width and a height/],
    [changed((bytes) => bytes.writeUInt32LE(0, 10)), /expected pixels behind a header of 54 bytes, received them at 0/],
    [changed((bytes) => bytes.writeInt32LE(2 ** 30, 18)), /Expected at most 100000000 in all/],
  ];
  for (const [bytes, message] of cases) {
    await assert.rejects(decodeImage(bytes), (error) => error instanceof ImageError && message.test(error.message));
  }
  const outside = bmp({ bits: 8 });
  outside[54 + 24] = 99;
  await assert.rejects(decodeImage(outside), /expected colours below 6, received 99/);
});

test('32 bits with masks: blue, green, red in this order, or refused', async () => {
  const masked = (masks: readonly number[]) => {
    const plain = bmp({ bits: 32 });
    const bytes = Buffer.concat([plain.subarray(0, 54), Buffer.alloc(12), plain.subarray(54)]);
    bytes.writeUInt32LE(3, 30);
    bytes.writeUInt32LE(66, 10);
    for (const [index, mask] of masks.entries()) bytes.writeUInt32LE(mask, 54 + index * 4);
    return bytes;
  };
  assert.deepEqual([...(await decodeImage(masked([0xff0000, 0xff00, 0xff]))).data], PIXELS.flat());
  await assert.rejects(decodeImage(masked([0xff, 0xff00, 0xff0000])), /expected the masks of blue, green and red/);
});

test('20,000 damaged bitmaps: pixels or an ImageError, never anything else', async () => {
  let state = 12345;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const originals = ([8, 24, 32] as const).map((bits) => bmp({ bits }));
  let readCount = 0;
  for (let i = 0; i < 20_000; i++) {
    let bytes = Buffer.from(originals[random(3)] as Buffer);
    for (let change = 0; change <= random(3); change++) bytes[2 + random(Math.min(bytes.length, 60) - 2)] = random(256);
    if (random(3) === 0) bytes = bytes.subarray(0, random(bytes.length + 1));
    try {
      const { data, width, height } = await decodeImage(bytes, { maxPixels: 1e6 });
      assert.equal(data.length, width * height * 3);
      readCount++;
    } catch (error) {
      assert.ok(error instanceof ImageError, `change ${i}: ${error}`);
    }
  }
  assert.ok(readCount > 1000, `${readCount} were read`);
});
