import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readGguf } from '../../src/models/index.js';

const golden = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-gguf-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('keys and tensors of a real file, and every byte of its weights is some tensor’s', async () => {
  const { values, tensors } = await readGguf(golden('engine/tiny.gguf'));
  assert.equal(values.get('general.architecture'), 'llama');
  assert.equal(values.get('llama.block_count'), 2);
  assert.ok(Math.abs(Number(values.get('llama.attention.layer_norm_rms_epsilon')) - 1e-5) < 1e-9, 'a float');
  assert.deepEqual(values.get('tokenizer.ggml.tokens'), { length: 384 });
  assert.equal(values.get('tokenizer.ggml.add_bos_token'), true);
  const size = (name: string) => tensors.find((tensor) => tensor.name === name)?.sizeBytes;
  assert.equal(size('token_embd.weight'), 64 * 384 * 4);
  assert.equal(size('blk.1.ffn_down.weight'), 128 * 64 * 4);
  const all = tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const { size: fileBytes } = statSync(golden('engine/tiny.gguf'));
  assert.ok(all < fileBytes && all > 0.9 * fileBytes, `${all} of ${fileBytes} bytes`);
});

test('a short array is kept', async () => {
  const { values } = await readGguf(golden('engine/tiny-projector.gguf'));
  const mean = values.get('clip.vision.image_mean');
  assert.ok(Array.isArray(mean) && mean.length === 3 && Math.abs(mean[0] - 0.4814546) < 1e-6, String(mean));
});

test('what is no GGUF, or a part of one, is refused in one sentence', async () => {
  const whole = readFileSync(golden('engine/tiny.gguf'));
  const head = whole.subarray(0, 20_000);
  const versioned = Buffer.from(head);
  versioned.writeUInt32LE(9, 4);
  const endless = Buffer.from(head);
  endless.writeBigUInt64LE(2n ** 60n, 16);
  const files = {
    empty: Buffer.alloc(0),
    text: Buffer.from('<!doctype html>'.repeat(10)),
    cut: head.subarray(0, 400),
    versioned,
    endless,
  };
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, `${name}.gguf`);
    writeFileSync(path, bytes);
    await assert.rejects(
      readGguf(path),
      { name: 'ModelError', code: 'ERR_MODEL_INVALID', message: /Fetch it again\.$/ },
      name,
    );
  }
  await assert.rejects(readGguf(join(folder, 'none.gguf')), { code: 'ERR_MODEL_NOT_FOUND' });
});

test('the parts of a split model count together', async () => {
  const whole = readFileSync(golden('engine/tiny.gguf'));
  const key = Buffer.concat([text('split.count'), uint32(4), uint32(2)]);
  const split = Buffer.concat([whole.subarray(0, 24), key, whole.subarray(24)]);
  split.writeBigUInt64LE(split.readBigUInt64LE(16) + 1n, 16);
  for (const part of ['00001', '00002']) writeFileSync(join(folder, `model-${part}-of-00002.gguf`), split);
  const one = await readGguf(golden('engine/tiny.gguf'));
  const both = await readGguf(join(folder, 'model-00001-of-00002.gguf'));
  assert.equal(both.tensors.length, 2 * one.tensors.length);
});

function text(value: string): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([length, Buffer.from(value)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
