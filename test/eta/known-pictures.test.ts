/** Which picture a file shows is remembered, of as many files as there may be; whoever wants the pixels gets them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, mock, test } from 'node:test';
import sharp from 'sharp';
import { KnownPictures } from '../../src/eta/known-pictures.js';
import { pictures } from './tiny.js';

const { signal } = new AbortController();
let png: Buffer;
before(async () => {
  png = await sharp(await readFile(pictures[0]))
    .resize(4, 4)
    .png()
    .toBuffer();
});

/** A file of its own, which shows the same as all the others: what stands behind the end of a PNG is no part of it. */
const file = (number: number) => Buffer.concat([png, Buffer.from(`${number}`)]);

/** How often pictures are decoded while `work` runs. */
async function decodings(work: () => Promise<unknown>): Promise<number> {
  const decode = mock.method(sharp.prototype as { toBuffer(): unknown }, 'toBuffer');
  try {
    await work();
    return decode.mock.callCount();
  } finally {
    decode.mock.restore();
  }
}

test('of more files than are remembered the one used longest ago is forgotten', async () => {
  const known = new KnownPictures();
  const use = (number: number) => decodings(() => known.of(file(number), signal));
  for (let number = 0; number < 1024; number++) await known.of(file(number), signal);
  assert.deepEqual([await use(0), await use(1), await use(1023)], [0, 0, 0], '1,024 are remembered');
  assert.equal(await use(1024), 1); // and the third goes
  assert.deepEqual([await use(0), await use(1), await use(3)], [0, 0, 0], 'what was used since stays');
  assert.equal(await use(2), 1);
});

test('what is forgotten while it is decoded is not remembered; who waits for it is served', async () => {
  const known = new KnownPictures();
  const first = known.of(file(1), signal);
  known.clear();
  const key = await (await first).key();
  assert.equal(await decodings(() => known.of(file(1), signal)), 1);
  assert.equal(await decodings(() => known.of(file(1), signal)), 0);
  assert.equal(await (await known.of(file(2), signal)).key(), key, 'another file that shows the same');
  known.clear();
  assert.equal(await decodings(() => known.of(file(1), signal)), 1);
});

test('pixels, and what is looked at afresh, are neither remembered nor known', async () => {
  const known = new KnownPictures();
  assert.equal(await decodings(() => known.fresh(file(1), signal)), 1);
  assert.equal(await decodings(() => known.of(file(1), signal)), 1, 'it left nothing');
  assert.equal(await decodings(() => known.fresh(file(1), signal)), 1, 'it looks for nothing');
  const black = { data: new Uint8Array(12), width: 2, height: 2 };
  const white = { data: new Uint8Array(12).fill(255), width: 2, height: 2 };
  const key = async (image: typeof black) => await (await known.of(image, signal)).key();
  assert.equal(await key(black), await key({ ...black, data: black.data.slice() }));
  assert.notEqual(await key(black), await key(white));
  black.data.fill(255);
  assert.equal(await key(black), await key(white), 'the array is the caller’s, and may change');
});

test('a picture larger than the bound is refused by each of them', async () => {
  const small = new KnownPictures(15);
  const refused = { code: 'ERR_IMAGE_TOO_LARGE' };
  await assert.rejects(small.of(file(1), signal), refused);
  await assert.rejects(small.fresh(file(1), signal), refused);
  const exact = new KnownPictures(16);
  assert.equal((await (await exact.of(file(1), signal)).pixels()).data.length, 48);
  await exact.fresh(file(1), signal);
});
