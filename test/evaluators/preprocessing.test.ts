import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodeImage } from '../../src/image/index.js';
import { imageTensor } from '../../src/onnx/image-tensor.js';
import { pillowResize } from '../../src/onnx/pillow-resize.js';
import { golden, goldenFolder } from './golden.js';

const SHAPE = {
  imageSize: 56,
  resample: 'bicubic',
  crop: 'center',
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

function sha256(bytes: Uint8Array | Float32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    .digest('hex');
}

for (const [name, expected] of Object.entries(golden.pictures)) {
  test(`${name}: pixels equal PIL's and the tensor equals CLIPImageProcessor's, to the last bit`, async () => {
    const image = await decodeImage(`${goldenFolder}pictures/${name}`);
    assert.deepEqual([image.width, image.height], [expected.width, expected.height]);
    assert.equal(sha256(image.data), expected.rgbSha256);
    assert.equal(sha256(imageTensor(image, SHAPE)), expected.tensorSha256);
  });
}

test('the check can fail: eight levels in one value changes the tensor', async () => {
  const image = await decodeImage(`${goldenFolder}pictures/photo.png`);
  const data = image.data.slice();
  const middle = (36 * 96 + 48) * 3;
  data[middle] = (data[middle] ?? 0) ^ 8;
  assert.notEqual(sha256(imageTensor({ ...image, data }, SHAPE)), golden.pictures['photo.png']?.tensorSha256);
});

test('a window of a resize equals the same part of the whole resize', () => {
  const image = { data: Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 37) % 256), width: 40, height: 30 };
  const whole = pillowResize(image, 23, 17, { left: 0, top: 0, width: 23, height: 17 });
  const part = pillowResize(image, 23, 17, { left: 5, top: 4, width: 9, height: 8 });
  for (let y = 0; y < 8; y++) {
    const from = ((y + 4) * 23 + 5) * 3;
    assert.deepEqual(part.data.subarray(y * 27, y * 27 + 27), whole.data.subarray(from, from + 27));
  }
});

test('a picture of one row costs no more than its crop', () => {
  const image = { data: new Uint8Array(5000 * 3).fill(7), width: 5000, height: 1 };
  assert.equal(imageTensor(image, { ...SHAPE, imageSize: 336 }).length, 3 * 336 * 336);
});

// As Pillow 13 has it: Image.frombytes('RGB', size, bytes((i * i * 7 + i * 13) % 251 for i in range(...))).resize((30, 40), BICUBIC).
for (const [height, order, expected] of [
  [
    60,
    'exactly twice as many rows as columns go: across first',
    '7bacda57b618127c746b35d46561d50d25461d4ec264a8282092937a6635b2fd',
  ],
  [61, 'one row more: down first', 'd1f7adbda6cb8680ac7c8716f2e687acd7bbe3e157b1be894cca0b040807b088'],
] as const) {
  test(`the order of the passes, ${order}`, () => {
    const data = Uint8Array.from({ length: 40 * height * 3 }, (_, i) => (i * i * 7 + i * 13) % 251);
    const made = pillowResize({ data, width: 40, height }, 30, 40, { left: 0, top: 0, width: 30, height: 40 });
    assert.equal(sha256(made.data), expected);
  });
}
