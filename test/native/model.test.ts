import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkVersions, loadFrom } from '../../src/native/binding.js';
import { BINDING_VERSION } from '../../src/native/llama-version.js';
import { assertNear } from '../device.js';
import {
  binding,
  contextOptions,
  folder,
  golden,
  loadTiny,
  maxDifference,
  modelOptions,
  modelPath,
  picture,
  prefilled,
  projectorPath,
  tokenize,
} from './fixture.js';

const scratch = mkdtempSync(join(tmpdir(), 'eta-native-'));
after(() => rmSync(scratch, { recursive: true }));

/** Refused with a code, and with a message that says what to look for. */
async function refuses(options: Partial<Parameters<typeof loadTiny>[0]>, code: string, message: RegExp) {
  await assert.rejects(loadTiny(options), (error: Error & { code?: string }) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('the binding tells its build and the devices of this machine', () => {
  assert.equal(binding.build.llamaTag, 'v0.5.0');
  assert.ok(binding.build.backends.includes('CPU'));
  const cpu = binding.devices().find((device) => device.type === 'cpu');
  assert.ok(cpu !== undefined && cpu.memoryTotalBytes > 0);
});

test('an addon of another llama.cpp and a broken one are refused with a way out', () => {
  const path = join(scratch, 'broken.node');
  writeFileSync(path, 'no library');
  const addon = process.env['ETA_VLM_ADDON'] ?? new URL('../../build/Release/eta-vlm.node', import.meta.url).pathname;
  assert.throws(() => loadFrom(addon, 'v0.4.9'), { code: 'ERR_ADDON_INVALID', message: /v0\.4\.9.*v0\.5\.0/ });
  assert.throws(() => loadFrom(path, 'v0.5.0'), { code: 'ERR_ADDON_INVALID', message: /npm run build/ });
  assert.throws(() => loadFrom(path, 'v0.5.0', 'Unset it.'), { code: 'ERR_ADDON_INVALID', message: /Unset it\.$/ });
  // An addon of another kind, and one of an earlier eta-vlm.
  assert.throws(() => checkVersions(null, 'other.node', 'v0.5.0', 'Unset it.'), {
    code: 'ERR_ADDON_INVALID',
    message: /other\.node is none of eta-vlm\. Unset it\.$/,
  });
  assert.throws(() => checkVersions({ build: { ...binding.build, bindingVersion: 0 } }, 'earlier.node', 'v0.5.0', ''), {
    code: 'ERR_ADDON_INVALID',
    message: /was built from another version of eta-vlm/,
  });
});

test('whoever changes the surface of the addon raises its version', () => {
  const folder = new URL('../../src/native/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('-types.ts'));
  assert.ok(names.includes('binding-types.ts') && names.length > 1);
  const types = names.sort().map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const code = types
    .join('')
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|^import [^;]*;/gm, '')
    .replaceAll(/\s+/g, ' ');
  assert.deepEqual(
    [BINDING_VERSION, createHash('sha256').update(code).digest('hex').slice(0, 16)],
    [7, '2332d390a2da16e2'],
    'raise BINDING_VERSION in src/native/llama-version.ts and kBindingVersion in native/js/backend.cpp, then write both here',
  );
});

test('facts and progress of a model', async () => {
  const fractions: number[] = [];
  const model = await binding.loadModel(modelOptions(), (fraction) => fractions.push(fraction)).model;
  assert.equal(model.facts.architecture, 'llama');
  assert.equal(model.facts.vocabularySize, 384);
  assert.equal(model.facts.beginToken, 1);
  assert.deepEqual([...model.facts.endOfGenerationTokens], [2]);
  assert.equal(model.facts.hasVision, true);
  assert.equal(model.facts.metadata['general.architecture'], 'llama');
  assert.equal(fractions.at(-1), 1);
  assert.ok(fractions.every((fraction, index) => fraction >= (fractions[index - 1] ?? 0)));
  await model.dispose();
});

test('tokens and their bytes', async () => {
  const model = await loadTiny();
  for (const { text, tokens, tokensWithSpecial } of golden.tokenize['tiny.gguf'] ?? []) {
    assert.deepEqual([...(await tokenize(model, text))], tokens, text);
    assert.deepEqual([...(await tokenize(model, text, true))], tokensWithSpecial, text);
  }
  assert.equal((await tokenize(model, '')).length, 0);
  const words = 'The red apple. Café 日本 \0 end';
  const bytes = [...(await tokenize(model, words))].map((token) => Buffer.from(model.tokenBytes(token, false)));
  assert.equal(Buffer.concat(bytes).toString('utf8').trimStart(), words);
  assert.equal(model.tokenBytes(1, false).length, 0);
  assert.equal(Buffer.from(model.tokenBytes(1, true)).toString(), '<s>');
  for (const renderSpecial of [false, true]) {
    const { bytes: all, starts } = await model.vocabulary(renderSpecial);
    assert.equal(starts.length, model.facts.vocabularySize + 1);
    assert.equal(starts.at(-1), all.length);
    for (let token = 0; token < model.facts.vocabularySize; token++) {
      const one = all.subarray(starts[token], starts[token + 1]);
      assert.deepEqual(one, model.tokenBytes(token, renderSpecial), `token ${token}`);
    }
  }
  assert.throws(() => model.vocabulary(undefined as never), { code: 'INVALID_ARGUMENT' });
  const left = model.vocabulary(true);
  const disposed = model.dispose();
  assert.throws(() => model.vocabulary(true), { code: 'DISPOSED' });
  assert.ok((await Promise.allSettled([left]))[0] !== undefined, 'it settles');
  await disposed;
  await model.dispose();
});

test('logits of text prompts equal those of PyTorch', async () => {
  const model = await loadTiny();
  const context = await model.createContext(contextOptions());
  for (const { tokens, firstLogits } of golden.text) {
    const sequence = await prefilled(context, [Int32Array.from(tokens)]);
    assertNear(maxDifference(await context.logits(sequence), firstLogits), 1e-4, 'reference');
    await context.release([sequence]);
  }
  await model.dispose();
});

test('a load is cancelled, at once and while it runs', async () => {
  const early = binding.loadModel(modelOptions());
  early.cancel();
  await assert.rejects(early.model, { code: 'CANCELLED' });
  const late: ReturnType<typeof binding.loadModel> = binding.loadModel(modelOptions(), () => late.cancel());
  await Promise.allSettled([late.model]);
  late.cancel();
});

test('files that are no model are refused with what they are', async () => {
  const path = (name: string) => join(scratch, name);
  writeFileSync(path('empty.gguf'), '');
  writeFileSync(path('text.gguf'), 'This is no model.');
  await refuses({ modelPath: path('none.gguf') }, 'MODEL_LOAD_FAILED', /cannot be read/);
  await refuses({ modelPath: path('empty.gguf') }, 'MODEL_LOAD_FAILED', /cannot be read/);
  await refuses({ modelPath: path('text.gguf') }, 'MODEL_LOAD_FAILED', /expected a GGUF file/);
  await refuses({ modelPath: scratch }, 'MODEL_LOAD_FAILED', /cannot be read/);
  await refuses({ modelPath: projectorPath }, 'MODEL_LOAD_FAILED', /is a projector/);
  await refuses({ projectorPath: modelPath }, 'PROJECTOR_LOAD_FAILED', /expected a projector/);
  await refuses({ projectorPath: path('none.gguf') }, 'PROJECTOR_LOAD_FAILED', /cannot be read/);
  await refuses({ modelPath: `${folder}tiny-other.gguf` }, 'PROJECTOR_LOAD_FAILED', /mismatch|wrong mmproj/);
});

test('a file cut at any place is refused, never an abort', async () => {
  for (const original of [modelPath, projectorPath]) {
    const size = readFileSync(original).length;
    for (const part of [0.00002, 0.001, 0.01, 0.03, 0.1, 0.5, 0.999]) {
      const path = join(scratch, 'cut.gguf');
      copyFileSync(original, path);
      truncateSync(path, Math.max(5, Math.floor(size * part)));
      const isModel = original === modelPath;
      await refuses(
        isModel ? { modelPath: path } : { projectorPath: path },
        isModel ? 'MODEL_LOAD_FAILED' : 'PROJECTOR_LOAD_FAILED',
        /Cannot load/,
      );
    }
  }
});

test('bytes changed in the header are refused or harmless, never an abort', async () => {
  const original = readFileSync(modelPath);
  for (let at = 4; at < 600; at += 37) {
    const bytes = Buffer.from(original);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    const path = join(scratch, 'changed.gguf');
    writeFileSync(path, bytes);
    const [result] = await Promise.allSettled([loadTiny({ modelPath: path })]);
    if (result.status === 'fulfilled') await result.value.dispose();
    else assert.match(result.reason.code, /_LOAD_FAILED$/);
  }
});

test('images: sizes, counts and refusals', async () => {
  const model = await loadTiny();
  for (const [width, height] of [
    [1, 1],
    [1, 300],
    [300, 1],
    [64, 64],
  ] as const) {
    const data = new Uint8Array(width * height * 3).fill(9);
    const image = await model.encodeImage({ data, width, height }).image;
    assert.equal(image.tokenCount, 16);
    assert.equal(image.positionCount, 16);
    assert.equal(image.embeddingBytes, 16 * 64 * 4);
    image.dispose();
    image.dispose();
  }
  const data = new Uint8Array(12);
  for (const bad of [
    { data, width: 2, height: 3 },
    { data, width: 0, height: 2 },
    { data, width: Number.NaN, height: 2 },
    { data, width: 2.5, height: 2 },
    { data: [1, 2, 3], width: 1, height: 1 },
    { data, width: 30000, height: 30000 },
  ]) {
    assert.throws(() => model.encodeImage(bad as never), { code: 'INVALID_ARGUMENT' });
  }
  await model.dispose();

  const textOnly = await loadTiny({ projectorPath: undefined });
  await assert.rejects(picture(textOnly, 3), { code: 'NO_PROJECTOR', message: /projectorPath/ });
  await textOnly.dispose();
});
