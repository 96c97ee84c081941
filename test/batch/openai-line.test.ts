/** Answers as OpenAI's Batch API writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openaiLine } from '../../src/batch/openai-line.js';
import { parseRequestRow } from '../../src/batch/request-line.js';

test('two equal requests have answers of their own names', () => {
  const failed = {
    ...{ id: null, text: null, stopReason: null, verdict: null, method: null, seed: null, model: null },
    ...{ usage: null, timings: null, digest: '0123456789abcdef', error: { code: 'ERR_INVALID_LINE', message: 'no' } },
  } as const;
  const [one, two] = [1, 2].map((line) => openaiLine({ ...failed, line }));
  assert.deepEqual([one?.['id'], one?.['custom_id']], ['batch_req_0123456789abcdef-1', 'line-1']);
  assert.notEqual(one?.['id'], two?.['id']);
});

test('of a row no list of pictures is lost: one in either column is taken, one in each is refused', () => {
  const columns = ['prompt', 'image', 'images'].map((name) => ({ column: name, field: name }));
  const row = (values: Readonly<Record<string, unknown>>) =>
    parseRequestRow({ number: 1, values: { prompt: 'a', ...values }, problem: null }, columns, '/p');
  for (const name of ['image', 'images']) {
    const { request } = row({ [name]: ['/a.png', '/b.png'] }) as { readonly request: { readonly images: unknown } };
    assert.deepEqual(request.images, ['/a.png', '/b.png'], name);
  }
  for (const image of [['/a.png'], '/a.png'])
    assert.equal((row({ image, images: ['/b.png'] }) as { error: { code: string } }).error.code, 'ERR_INVALID_LINE');
});
