/** Pictures as callers give them: whatever the object is, its request settles, the others go on, and dispose ends. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeImage, type Eta, type EtaRequest, type RgbImage } from '../../src/index.js';
import { readForm, writeForm } from '../fuzz/gguf-form.js';
import { assertFreed, collect, loadTiny, pictures, QUESTION, tinyModels, UNSAFE } from './tiny.js';

let eta: Eta;
let pixels: RgbImage;
let expected: string;
before(async () => {
  eta = await loadTiny();
  pixels = await decodeImage(pictures[0]);
  expected = (await eta.respond({ ...QUESTION, image: copy() })).text;
});
after(() => eta.dispose());

const copy = () => ({ data: Uint8Array.from(pixels.data), width: pixels.width, height: pixels.height });

function detach(data: Uint8Array): void {
  structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
}

const ODD: readonly (readonly [string, () => RgbImage])[] = [
  ['a method', () => Object.assign(copy(), { close: () => undefined })],
  ['a symbol', () => Object.assign(copy(), { kind: Symbol('x') })],
  ['a promise', () => Object.assign(copy(), { more: Promise.resolve() })],
  [
    'getters',
    () => ({
      get data() {
        return pixels.data;
      },
      get width() {
        return pixels.width;
      },
      get height() {
        return pixels.height;
      },
    }),
  ],
  ['a proxy', () => new Proxy(copy(), {})],
  ['shared memory', () => ({ ...copy(), data: new Uint8Array(new SharedArrayBuffer(pixels.data.length)).fill(1) })],
];
for (const [what, make] of ODD) {
  test(`a picture object with ${what}, alone and among others`, async () => {
    const good = () => eta.respond({ ...QUESTION, image: copy() });
    const texts = await Promise.all([good(), eta.respond({ ...QUESTION, image: make() }), good()]);
    if (what !== 'shared memory') assert.equal(texts[1].text, expected);
    assert.deepEqual([texts[0].text, texts[2].text, (await good()).text], [expected, expected, expected]);
    await assertFreed(eta, what);
  });
}

test('pixels that are changed or transferred away after the call, in respond and in stream', async () => {
  for (const spoil of [detach, (data: Uint8Array) => void data.fill(0)]) {
    const [one, two] = [copy(), copy()];
    const answering = eta.respond({ ...QUESTION, image: one });
    const streaming = eta.stream({ ...QUESTION, image: two });
    spoil(one.data);
    spoil(two.data);
    let streamed = '';
    for await (const event of streaming) if (event.type === 'text') streamed += event.text;
    assert.deepEqual([(await answering).text, streamed], [expected, expected]);
  }
});

test('a large picture that is transferred away: an ImageError, and the next request is answered', async () => {
  const large = { data: new Uint8Array(4000 * 1500 * 3), width: 4000, height: 1500 };
  const among = [eta.respond({ ...QUESTION, image: copy() }), eta.respond({ ...QUESTION, image: large })] as const;
  detach(large.data);
  await assert.rejects(among[1], { name: 'ImageError', code: 'ERR_IMAGE_UNREADABLE' });
  assert.equal((await among[0]).text, expected);
  await assert.rejects(eta.respond({ ...QUESTION, image: large }), { name: 'ImageError', message: /transferred/ });
  assert.equal((await eta.respond({ ...QUESTION, image: copy() })).text, expected);
  await assertFreed(eta, 'afterwards');
});

test('pictures beyond the room: refused with figures, without reading those behind', async () => {
  const tokens = (await eta.respond({ ...QUESTION, image: copy() })).usage.imageTokenCount;
  const fitting = Math.floor(2048 / tokens);
  const many = (good: number, all: number) => [
    ...Array.from({ length: good }, () => copy()),
    ...Array.from({ length: all - good }, () => 'no-such.png'),
  ];
  // those that are begun ahead, 8 at once, are read too
  const images = [...many(fitting + 9, fitting + 9), ...many(0, 100)];
  await assert.rejects(eta.respond({ ...QUESTION, image: undefined, images }), {
    name: 'UsageError',
    code: 'ERR_PROMPT_TOO_LONG',
    message: new RegExp(
      `expected pictures of less than \\d+ tokens in all, received ${images.length} pictures, the first \\d+ of \\d+ tokens`,
    ),
  });
  await assertFreed(eta, 'afterwards');
  const fine = await eta.respond({ ...QUESTION, image: undefined, images: many(20, 20) });
  assert.equal(fine.usage.imageTokenCount, 20 * tokens);
});

test('a picture that fails where nobody judges pictures fails its request alone', async () => {
  for (const method of ['vanilla', 'eta'] as const) {
    await assert.rejects(eta.respond({ ...QUESTION, method, image: undefined, images: [pictures[0], 'no-such.png'] }), {
      code: 'ERR_IMAGE_NOT_FOUND',
    });
  }
  assert.equal((await eta.respond({ ...QUESTION, image: copy() })).text, expected);
});

test('more pictures than a prompt has tokens: refused before any is read', async () => {
  await using small = await loadTiny({ contextSize: 256 });
  await assert.rejects(small.respond({ ...QUESTION, image: undefined, images: Array(1000).fill('no-such.png') }), {
    code: 'ERR_PROMPT_TOO_LONG',
    message: /expected pictures of less than 255 tokens in all, received 1000 pictures\. Shorten/,
  });
});

test('pictures that leave no token for a text are refused as pictures', async () => {
  const tokens = (await eta.respond({ ...QUESTION, image: copy() })).usage.imageTokenCount;
  const form = readForm(readFileSync(tinyModels.languageModel));
  const window = form.keys.find(({ name }) => name.endsWith('.context_length'));
  assert.ok(window);
  window.bytes.writeUInt32LE(tokens + 1);
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-window-'));
  try {
    const languageModel = join(folder, 'narrow.gguf');
    writeFileSync(languageModel, writeForm(form));
    await using narrow = await loadTiny({ models: { ...tinyModels, languageModel }, contextSize: 256 });
    await assert.rejects(narrow.respond({ ...QUESTION, image: copy() }), {
      code: 'ERR_PROMPT_TOO_LONG',
      message: new RegExp(`expected pictures of less than ${tokens} tokens in all, received 1 pictures of ${tokens}`),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('maxPixels bounds every picture, remembered or not, and can be raised', async () => {
  await using small = await loadTiny({ maxPixels: 10 });
  for (const reuse of [true, false]) {
    const message = /Expected at most 10 in all: shrink it first\. Or raise maxPixels/;
    for (const image of [copy(), pictures[0]])
      await assert.rejects(small.respond({ ...QUESTION, image, reuse }), { code: 'ERR_IMAGE_TOO_LARGE', message });
  }
  await assert.rejects(loadTiny({ maxPixels: 0 }), { code: 'ERR_INVALID_OPTION', message: /maxPixels/ });
});

test('a picture that is too wide for the encoder says so', async () => {
  const image = { data: new Uint8Array(40_000 * 3), width: 40_000, height: 1 };
  await assert.rejects(eta.respond({ ...QUESTION, image }), {
    name: 'ImageError',
    code: 'ERR_IMAGE_TOO_LARGE',
    message: /40000 x 1 pixels. Expected at most 32768 on a side/,
  });
});

test('twelve requests of one signal: one listener, no warning, and none is left', async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on('warning', listen);
  const { signal } = new AbortController();
  const request: EtaRequest = { ...QUESTION, image: undefined, images: [...pictures], thresholds: UNSAFE, signal };
  const answering = Array.from({ length: 12 }, (_, seed) =>
    seed % 2 === 0 ? eta.respond({ ...request, seed }) : collect(eta, { ...request, seed }),
  );
  const counts = new Set<number>();
  const timer = setInterval(() => counts.add(getEventListeners(signal, 'abort').length), 1);
  await Promise.all(answering);
  clearInterval(timer);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    [...counts].filter((count) => count > 1),
    [],
  );
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
