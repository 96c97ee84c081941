/** Which files of a repository are meant: quantisations, projectors, splits, CLIP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHubAddress } from '../../src/hub/index.js';
import { chooseParts, quantisationOf } from '../../src/models/repo-choice.js';

const chosen = (address: string, paths: readonly string[]) => {
  const files = paths.map((path) => ({ path, sizeBytes: 1, hash: '0'.repeat(64) }));
  const listing = { repo: 'acme/tiny', commit: 'a'.repeat(40), licence: null, isGated: false, files };
  const parts = chooseParts(listing, parseHubAddress(address));
  return Object.fromEntries(parts.map(({ role, files: own }) => [role, own.map(({ path }) => path)]));
};

const MODELS = [
  'README.md',
  'Tiny-F16.gguf',
  'Tiny-Q8_0.gguf',
  'Tiny-Q4_K_M.gguf',
  'mmproj-Tiny-f16.gguf',
  'mmproj-Tiny-Q8_0.gguf',
  'Tiny.imatrix.gguf',
];

test('quantisations by name', () => {
  for (const [path, expected] of [
    ['Tiny-Q4_K_M.gguf', 'Q4_K_M'],
    ['Tiny.Q4_K_M.gguf', 'Q4_K_M'],
    ['tiny-q8_0.gguf', 'q8_0'],
    ['Tiny-UD-Q4_K_XL.gguf', 'UD-Q4_K_XL'],
    ['Tiny-IQ2_XXS.gguf', 'IQ2_XXS'],
    ['Tiny-BF16-00001-of-00002.gguf', 'BF16'],
    ['Q5_K_M/Tiny-00001-of-00002.gguf', 'Q5_K_M'],
    ['mmproj-model-f16.gguf', 'f16'],
    ['ggml-model.gguf', null],
    ['Qwen2-VL.gguf', null],
  ] as const)
    assert.equal(quantisationOf(path), expected, path);
});

test('a repository alone: four bits where there are, with a projector', () => {
  const expected = { languageModel: ['Tiny-Q4_K_M.gguf'], projector: ['mmproj-Tiny-Q8_0.gguf'] };
  assert.deepEqual(chosen('hf:acme/tiny', MODELS), expected);
  assert.deepEqual(chosen('hf:acme/tiny', ['only.gguf']), { languageModel: ['only.gguf'] });
});

test('a quantisation, in any case', () => {
  for (const name of ['Q8_0', 'q8_0'])
    assert.deepEqual(chosen(`hf:acme/tiny:${name}`, MODELS)['languageModel'], ['Tiny-Q8_0.gguf']);
  assert.throws(() => chosen('hf:acme/tiny:Q2_K', MODELS), {
    code: 'ERR_MODEL_NOT_FOUND',
    message:
      'Expected a GGUF of the quantisation Q2_K in acme/tiny, found F16, Q8_0, Q4_K_M. Name one of these, or the file itself: hf:acme/tiny/Tiny-F16.gguf.',
  });
});

test('a file, and what goes with it', () => {
  assert.deepEqual(chosen('hf:acme/tiny/Tiny-F16.gguf', MODELS)['languageModel'], ['Tiny-F16.gguf']);
  assert.deepEqual(chosen('hf:acme/tiny/mmproj-Tiny-f16.gguf', MODELS), { projector: ['mmproj-Tiny-f16.gguf'] });
  assert.throws(() => chosen('hf:acme/tiny/none.gguf', MODELS), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /^Expected the file "none\.gguf" in acme\/tiny, found README\.md, Tiny-F16\.gguf/,
  });
  assert.throws(() => chosen('hf:acme/tiny/README.md', MODELS), { message: /^Expected a GGUF, or the vision graph/ });
});

test('a model in parts: all of them, the first in front', () => {
  const parts = [1, 2, 3].map((number) => `Q4_K_M/Big-Q4_K_M-0000${number}-of-00003.gguf`);
  const others = ['Q8_0/Big-Q8_0-00001-of-00002.gguf', 'Q8_0/Big-Q8_0-00002-of-00002.gguf', 'mmproj-F16.gguf'];
  const expected = { languageModel: parts, projector: ['mmproj-F16.gguf'] };
  assert.deepEqual(chosen('hf:acme/tiny', [...others, ...parts].reverse()), expected);
  assert.deepEqual(chosen(`hf:acme/tiny/${parts[1]}`, [...parts, ...others]), expected);
});

test('two models that the same words mean', () => {
  assert.throws(() => chosen('hf:acme/tiny', ['A-Q4_K_M.gguf', 'B-Q4_K_M.gguf']), {
    message:
      'Expected one model in acme/tiny that hf:acme/tiny can mean, found 2: A-Q4_K_M.gguf, B-Q4_K_M.gguf. Name the file: hf:acme/tiny/A-Q4_K_M.gguf.',
  });
});

const CLIP = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'onnx/model.onnx'];
const graphs = (variant: string) => [`onnx/vision_model${variant}.onnx`, `onnx/text_model${variant}.onnx`];

test('a CLIP: float32, else quantised, else what the address names', () => {
  const all = [...CLIP, ...graphs('_fp16'), ...graphs('_quantized'), ...graphs('')];
  const rest = ['config.json', 'preprocessor_config.json', 'tokenizer.json'];
  assert.deepEqual(chosen('hf:acme/tiny', all), { clip: [...graphs(''), ...rest] });
  assert.deepEqual(chosen('hf:acme/tiny:quantized', all), { clip: [...graphs('_quantized'), ...rest] });
  assert.deepEqual(chosen('hf:acme/tiny/onnx/vision_model_fp16.onnx', all), { clip: [...graphs('_fp16'), ...rest] });
  assert.throws(() => chosen('hf:acme/tiny', [...CLIP, 'onnx/vision_model.onnx']), {
    message: /^Expected "onnx\/text_model\.onnx" beside "onnx\/vision_model\.onnx" in acme\/tiny, found none/,
  });
  assert.throws(() => chosen('hf:acme/tiny', CLIP), {
    message: /^Expected a GGUF, or a CLIP with onnx\/vision_model\.onnx/,
  });
});
