/**
 * Safety vectors as files: what is written is what llama.cpp takes for its own, and what is no vector of this model is refused.
 * test/golden/steering/make.py wrote the golden file by itself, and had llama-mtmd-cli answer under it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readVector, scaled, type VectorHome, vectorHome, writeVector } from '../../src/steering/index.js';
import { golden, picture, started, tinyModel } from '../engine/fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-steering-'));
after(() => rmSync(folder, { recursive: true }));

const GOLDEN = fileURLToPath(new URL('../golden/steering/direction.gguf', import.meta.url));
const TINY = golden('tiny-chat.gguf');

interface Answer {
  readonly picture: string;
  readonly prompt: string;
  readonly scale: number;
  readonly text: string;
}
const said = JSON.parse(
  readFileSync(fileURLToPath(new URL('../golden/steering/mtmd-cli.json', import.meta.url)), 'utf8'),
) as { answers: Answer[] };

const file = (name: string, bytes: Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

test('what is written is the golden file, and what is read is what was written', async () => {
  const home = await vectorHome(TINY);
  assert.deepEqual(home, { architecture: 'llama', embeddingSize: 64, layerCount: 2 });
  const vector = await readVector(GOLDEN, home);
  assert.equal(vector.layer, 1);
  assert.deepEqual([...vector.values.slice(0, 4)], [-0.375, -0.25, -0.125, 0]);
  const path = join(folder, 'again.gguf');
  await writeVector(path, vector, home);
  assert.deepEqual(readFileSync(path), readFileSync(GOLDEN));
  await writeVector(path, scaled(vector, 2), home);
  assert.notDeepEqual(readFileSync(path), readFileSync(GOLDEN), 'the control: other numbers');
  assert.deepEqual([...(await readVector(path, home)).values.slice(0, 4)], [-0.75, -0.5, -0.25, 0]);
});

test('under it the engine says what llama-mtmd-cli says, word for word', async () => {
  await using model = await tinyModel({ modelPath: TINY });
  const vector = await readVector(GOLDEN, await vectorHome(TINY));
  const plain = new Set<string>();
  for (const { picture: name, prompt, scale, text } of said.answers) {
    const image = await picture(model, name);
    const parts = await model.prompt([{ role: 'user', text: prompt, images: [image] }]);
    const { layer, values } = scaled(vector, scale);
    const answers: string[] = [];
    for (const steering of [{ layer, vector: values }, undefined]) {
      await using context = await model.createContext({ contextSize: 1024, steering });
      const { sequence } = await started(context, parts, { cellCount: 512, sequenceCount: 1 });
      answers.push((await sequence.decode({ sampler: { temperature: 0 }, maxTokens: 24 })).text);
    }
    assert.equal(answers[0], text, `${name}, ${scale} times`);
    if (answers[1] !== text) plain.add(name);
    image.dispose();
  }
  assert.equal(plain.size, 3, 'the control: without it every picture has another answer');
});

const MISMATCH = 'ERR_MODEL_MISMATCH';
const INVALID = 'ERR_MODEL_INVALID';

test('what is no vector, or that of another model, is refused in one sentence', async () => {
  const bytes = readFileSync(GOLDEN);
  const home: VectorHome = { architecture: 'llama', embeddingSize: 64, layerCount: 2 };
  const named = (from: string, to: string) => Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
  const number = (at: number, value: number) => {
    const changed = Buffer.from(bytes);
    changed.writeFloatLE(value, bytes.length - 256 + 4 * at);
    return changed;
  };
  const zeros = Buffer.concat([bytes.subarray(0, bytes.length - 256), Buffer.alloc(256)]);
  const refused: readonly (readonly [name: string, path: string, of: VectorHome, code: string, message: RegExp])[] = [
    ['none', join(folder, 'none.gguf'), home, 'ERR_MODEL_NOT_FOUND', /found none/],
    ['text', file('text.gguf', Buffer.from('no GGUF')), home, INVALID, /GGUF file of version 2 or 3/],
    ['a model', TINY, home, INVALID, /architecture 'controlvector'; received one of "llama"/],
    ['cut', file('cut.gguf', bytes.subarray(0, 300)), home, INVALID, /32 bits in one row|part of one/],
    ['another name', file('n.gguf', named('direction.1', 'direction.x')), home, INVALID, /received "direction.x"/],
    ['layer 0', file('0.gguf', named('direction.1', 'direction.0')), home, INVALID, /received "direction.0"/],
    ['no numbers', file('nan.gguf', number(5, Number.NaN)), home, INVALID, /finite numbers that are not all 0/],
    ['all zeros', file('zeros.gguf', zeros), home, INVALID, /finite numbers that are not all 0/],
    ['another architecture', GOLDEN, { ...home, architecture: 'qwen3' }, MISMATCH, /"qwen3"; received one of "llama"/],
    ['another width', GOLDEN, { ...home, embeddingSize: 128 }, MISMATCH, /128 numbers; received 64/],
    ['a layer beyond', file('2.gguf', named('direction.1', 'direction.2')), home, MISMATCH, /1 to 1; received one for/],
  ];
  for (const [name, path, of, code, message] of refused)
    await assert.rejects(readVector(path, of), { code, message }, name);
  await assert.doesNotReject(readVector(GOLDEN, home), 'the control');
});

test('several directions are none of ours', async () => {
  // Two tensors: the entry of the first repeated under another name, behind a raised count.
  const bytes = readFileSync(GOLDEN);
  const at = bytes.indexOf('direction.1') - 8;
  const entry = bytes.subarray(at, at + 8 + 11 + 24);
  const second = Buffer.from(entry.toString('latin1').replace('direction.1', 'direction.2'), 'latin1');
  second.writeBigUInt64LE(256n, second.length - 8);
  const head = Buffer.concat([bytes.subarray(0, at), entry, second]);
  head.writeBigUInt64LE(2n, 8);
  const padded = Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32)]);
  const numbers = bytes.subarray(bytes.length - 256);
  const path = file('two.gguf', Buffer.concat([padded, numbers, numbers]));
  const home: VectorHome = { architecture: 'llama', embeddingSize: 64, layerCount: 3 };
  await assert.rejects(readVector(path, home), { code: INVALID, message: /one direction, .*received 2 tensors/ });
});

test('a projector is no model to steer', async () => {
  await assert.rejects(vectorHome(golden('tiny-projector.gguf')), { code: INVALID, message: /a language model/ });
});
