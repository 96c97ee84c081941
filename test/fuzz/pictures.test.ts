/** Damaged pictures: none ends the process. The whole of it is `npm run fuzz -- pictures`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeImage } from '../../src/image/index.js';
import { pictures } from './pictures.js';
import { soundPictures } from './sound-pictures.js';

const COUNT = 200;

test('damaged pictures are read or refused in a sentence', { timeout: 120_000 }, async () => {
  const { outcomes, faults } = await pictures.run({ count: COUNT, seed: 100_000 });
  assert.deepEqual(faults, []);
  assert.equal(
    Object.values(outcomes).reduce((sum, count) => sum + count, 0),
    COUNT,
  );
  assert.ok((outcomes['read'] ?? 0) > COUNT / 20, 'some damage is harmless');
  assert.ok((outcomes['ERR_IMAGE_UNREADABLE'] ?? 0) > COUNT / 4, 'much is refused');
});

test('what is damaged is sound before, but for what is not read at all', async () => {
  const refused: string[] = [];
  for (const bytes of await soundPictures())
    await decodeImage(bytes).catch(({ message }: Error) => refused.push(message.replace(/ Expected.*/, '')));
  assert.deepEqual(refused, [
    'The picture is a TIFF compressed with LZMA, which is not read here.',
    'The picture is compressed with HEVC, as HEIC is, which is not read here.',
    'The picture is compressed with HEVC, as HEIC is, which is not read here.',
    'The picture holds samples of an unknown meaning (float).',
    'The picture is a TIFF of YCbCr samples, which are not read here.',
  ]);
});
