/** A caller's pixels: read once, copied before he can take them away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbortError, ImageError } from '../src/errors.js';
import { copyBytes, SharedPicture, sharePicture, takeBytes, takePicture } from '../src/shared-picture.js';

const SMALL = { width: 3, height: 2 };
const LARGE = { width: 2000, height: 1500 };

function pixels(
  { width, height }: { width: number; height: number },
  data: Uint8Array = new Uint8Array(width * height * 3),
) {
  for (let i = 0; i < data.length; i++) data[i] = i * 7;
  return { data, width, height };
}

function detach(data: Uint8Array): void {
  structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
}

test('a small picture is copied at the call: what becomes of the object then is the caller’s', async () => {
  const image = pixels(SMALL);
  const expected = [...image.data];
  const sharing = sharePicture(image);
  image.data.fill(0);
  detach(image.data);
  const shared = await sharing;
  assert.deepEqual([[...shared.data], shared.width, shared.height], [expected, 3, 2]);
  assert.ok(shared.data.buffer instanceof SharedArrayBuffer);
  assert.equal(await sharePicture(shared), shared);
  assert.equal(takePicture(shared), shared);
});

test('a large one is copied in turns of the event loop', async () => {
  const image = pixels(LARGE);
  assert.ok(!(takePicture(image) instanceof SharedPicture));
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const shared = await sharePicture(image);
  clearInterval(timer);
  assert.equal(Buffer.compare(shared.data, image.data), 0);
  assert.ok(turns > 0);
});

test('a large one whose buffer goes away meanwhile, or whose signal fires', async () => {
  const image = pixels(LARGE);
  const sharing = sharePicture(image);
  detach(image.data);
  await assert.rejects(sharing, {
    name: 'ImageError',
    code: 'ERR_IMAGE_UNREADABLE',
    message: /transferred or resized/,
  });
  const bytes = new Uint8Array(9e6);
  const copying = copyBytes(bytes);
  detach(bytes);
  await assert.rejects(copying, { name: 'ImageError', message: /Expected 9000000 bytes .* received 0/ });
  const controller = new AbortController();
  const aborted = sharePicture(pixels(LARGE), controller.signal);
  controller.abort();
  await assert.rejects(aborted, AbortError);
});

class Bytes extends Uint8Array {}
class Picture {
  readonly #data = pixels(SMALL).data;
  get data() {
    return this.#data;
  }
  get width() {
    return 3;
  }
  get height() {
    return 2;
  }
  close(): string {
    return 'closed';
  }
}

const window = new Uint8Array(100).subarray(11, 29);
const resizable = new (ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer)(18, {
  maxByteLength: 4096,
});
const READ: readonly (readonly [string, () => { data: Uint8Array; width: number; height: number }])[] = [
  ['a method beside the pixels', () => Object.assign(pixels(SMALL), { close: () => undefined })],
  [
    'a symbol and a circle beside them',
    () => Object.assign(pixels(SMALL), { [Symbol('x')]: Symbol('y'), self: globalThis }),
  ],
  ['a class with getters', () => new Picture()],
  ['a frozen object', () => Object.freeze(pixels(SMALL))],
  ['an object without prototype', () => Object.assign(Object.create(null), pixels(SMALL))],
  ['a proxy of the object', () => new Proxy(pixels(SMALL), {})],
  ['a window on a larger buffer', () => pixels(SMALL, window)],
  ['a slice of Buffer’s pool', () => pixels(SMALL, Buffer.from('x'.repeat(18)))],
  ['a subclass of Uint8Array', () => pixels(SMALL, new Bytes(18))],
  ['a SharedArrayBuffer', () => pixels(SMALL, new Uint8Array(new SharedArrayBuffer(18)))],
  ['a resizable buffer', () => pixels(SMALL, new Uint8Array(resizable))],
];
for (const [what, make] of READ) {
  test(`read as pixels: ${what}`, async () => {
    const image = make();
    const shared = await sharePicture(image);
    assert.deepEqual([...shared.data], [...image.data]);
    assert.notEqual(shared.data.buffer, image.data.buffer);
    assert.deepEqual(Object.keys(structuredClone(shared)), ['data', 'width', 'height']);
  });
}

test('each field is read once', async () => {
  const image = pixels(SMALL);
  const reads: string[] = [];
  const watched = new Proxy(image, {
    get: (target, name, receiver) => {
      reads.push(String(name));
      return Reflect.get(target, name, receiver);
    },
  });
  await sharePicture(watched);
  assert.deepEqual(reads.sort(), ['data', 'height', 'width']);
});

test('refused: what are no pixels', () => {
  const { data, ...size } = pixels(SMALL);
  const gone = new Uint8Array(18);
  detach(gone);
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [new Proxy(data, {}), /to be a Uint8Array/],
    [new Uint8ClampedArray(18), /to be a Uint8Array/],
    [new Uint16Array(18), /to be a Uint8Array/],
    [new DataView(new ArrayBuffer(18)), /to be a Uint8Array/],
    [[...data], /to be a Uint8Array/],
    [gone, /received 0 bytes \(was its buffer transferred/],
    [new Uint8Array(17), /received 17 bytes/],
    [undefined, /received nothing/],
  ];
  for (const [bytes, message] of wrong) {
    assert.throws(
      () => takePicture({ ...size, data: bytes as Uint8Array }),
      (error) => error instanceof ImageError && message.test(error.message),
      String(message),
    );
  }
});

test('memory that nobody reads any more is given back, though V8 does not count shared memory', async () => {
  const image = pixels({ width: 8000, height: 4000 });
  const before = process.memoryUsage.rss();
  let most = 0;
  for (let i = 0; i < 12; i++) {
    await sharePicture(image);
    most = Math.max(most, process.memoryUsage.rss() - before);
  }
  assert.ok(most < 7 * image.data.length, `${(most / image.data.length).toFixed(1)} pictures are held`);
});

test('encoded bytes are read as they are, whatever was done to them', async () => {
  const gone = new Uint8Array(8);
  detach(gone);
  const shrunk = new (
    ArrayBuffer as unknown as new (
      size: number,
      options: object,
    ) => ArrayBuffer & { resize(size: number): void }
  )(8, { maxByteLength: 16 });
  const outside = new Uint8Array(shrunk, 4, 4);
  shrunk.resize(2);
  for (const bytes of [gone, outside]) {
    assert.equal(takeBytes(bytes).length, 0);
    assert.equal((await copyBytes(bytes)).length, 0);
  }
  class Throwing extends Uint8Array {
    override [Symbol.iterator](): never {
      throw new Error('no');
    }
  }
  const odd = Object.defineProperty(Uint8Array.of(1, 2, 3), 'length', { value: 1e12 });
  for (const bytes of [Throwing.of(1, 2, 3), odd]) assert.deepEqual([...takeBytes(bytes)], [1, 2, 3]);
  const pixel = Object.defineProperty(new Uint8Array(1), 'length', { value: 3 });
  assert.throws(() => takePicture({ data: pixel, width: 1, height: 1 }), {
    name: 'ImageError',
    message: /received 1 bytes/,
  });
});
