/** What a TIFF's first directory says, before a decoder sees the file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unreadTiff } from '../../src/image/tiff.js';

/** A file of one directory: tags with a LONG each. */
function directory(...entries: readonly (readonly [tag: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(8 + 2 + entries.length * 12 + 4);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, value], at) => {
    const place = 10 + at * 12;
    bytes.writeUInt16LE(tag, place);
    bytes.writeUInt16LE(4, place + 2);
    bytes.writeUInt32LE(1, place + 4);
    bytes.writeUInt32LE(value, place + 8);
  });
  return bytes;
}

test('of two entries with one tag the first counts, as for the decoder', () => {
  const [ycbcr, rgb] = [
    [262, 6],
    [262, 2],
  ] as const;
  assert.match(unreadTiff(directory(ycbcr, rgb)) ?? '', /YCbCr/);
  assert.equal(unreadTiff(directory(rgb, ycbcr)), undefined);
});

test("a camera's raw file is none, though its first picture, a thumbnail, could be read", () => {
  const rgb = [262, 2] as const;
  assert.match(unreadTiff(directory([254, 1], rgb)) ?? '', /raw file/);
  assert.match(unreadTiff(directory(rgb, [50706, 0x401])) ?? '', /raw file/);
  assert.equal(unreadTiff(directory([254, 0], rgb)), undefined);
  assert.equal(unreadTiff(directory([254, 2], rgb)), undefined, 'a page of several');
});
