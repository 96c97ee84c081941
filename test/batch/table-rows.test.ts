/** Rows of tables as requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequestRow } from '../../src/batch/request-line.js';

test('of a row no list of pictures is lost: one in either column is taken, one in each is refused', () => {
  const columns = ['prompt', 'image', 'images'].map((name) => ({ column: name, field: name }));
  const row = (values: Readonly<Record<string, unknown>>) =>
    parseRequestRow({ number: 1, values: { prompt: 'a', ...values }, problem: null }, columns, '/p');
  for (const name of ['image', 'images']) {
    const { request } = row({ [name]: ['/a.png', '/b.png'] }) as { readonly request: { readonly images: unknown } };
    assert.deepEqual(request.images, ['/a.png', '/b.png'], name);
  }
  const both = row({ image: ['/a.png'], images: ['/b.png'] });
  assert.equal('error' in both && both.error.code, 'ERR_INVALID_LINE');
  const { request } = row({ image: '/a.png', images: ['/b.png'] }) as { readonly request: object };
  assert.deepEqual({ ...request }, { prompt: 'a', image: '/a.png', images: ['/b.png'] }, 'who answers refuses both');
});
