/** What may be written to name files of a hub, and what may not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubAddressText, isHubAddress, isSafePath, parseHubAddress } from '../../src/hub/index.js';

test('owner and name, a revision, a quantisation or a file', () => {
  const main = { repo: 'acme/tiny', revision: 'main', quantisation: null, file: null };
  for (const [text, expected] of [
    ['hf:acme/tiny', main],
    ['acme/tiny', main],
    ['hf:acme/tiny:Q4_K_M', { ...main, quantisation: 'Q4_K_M' }],
    ['hf:acme/tiny:UD-Q4_K_XL', { ...main, quantisation: 'UD-Q4_K_XL' }],
    ['hf:acme/tiny/a/b.gguf', { ...main, file: 'a/b.gguf' }],
    ['hf:acme/tiny@v1.2', { ...main, revision: 'v1.2' }],
    ['hf:acme/tiny@v1:Q8_0', { ...main, revision: 'v1', quantisation: 'Q8_0' }],
    ['hf:acme/tiny@v1/x.gguf', { ...main, revision: 'v1', file: 'x.gguf' }],
    ['hf:acme/Tiny_1.5-7B.GGUF', { ...main, repo: 'acme/Tiny_1.5-7B.GGUF' }],
  ] as const) {
    assert.deepEqual(parseHubAddress(text), expected, text);
    assert.deepEqual(parseHubAddress(hubAddressText(expected)), expected, text);
  }
  assert.equal(isHubAddress('hf:acme/tiny'), true);
  assert.equal(isHubAddress('acme/tiny'), false);
});

test('what is none is refused, with the forms that there are', () => {
  for (const text of [
    '',
    'hf:',
    'hf:acme',
    'hf:acme/',
    'hf:/tiny',
    'hf:acme/tiny:',
    'hf:acme/tiny/',
    'hf:acme/tiny@',
    'hf:../tiny',
    'hf:acme/..',
    'hf:a--b/c',
    'hf:acme/tiny/../x',
    'hf:acme/tiny//x',
    'hf:acme/ti ny',
    'https://hub/acme/tiny',
    'hf:acme/tiny/C:/x',
    'hf:acme/tiny/a\\b',
    'hf:.acme/x',
  ])
    assert.throws(
      () => parseHubAddress(text),
      { code: 'ERR_INVALID_OPTION', message: /^Expected files of a hub as hf:owner\/name, hf:owner\/name:Q4_K_M or/ },
      text,
    );
});

test('paths that stay below their folder on every system', () => {
  for (const path of ['a', 'a/b.gguf', 'onnx/vision_model.onnx', '.gitattributes', 'a..b'])
    assert.ok(isSafePath(path), path);
  for (const path of [
    '',
    '/a',
    'a/',
    '../a',
    'a/../b',
    'a/./b',
    'a\\b',
    'c:a',
    'a\nb',
    'a\0',
    'con',
    'nul.txt',
    'a.',
    'a ',
  ])
    assert.ok(!isSafePath(path), JSON.stringify(path));
});
