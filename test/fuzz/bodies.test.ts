/** Bodies that nobody should send, the short form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodies } from './bodies.js';

test('whatever comes is answered in the form of the API', { timeout: 120_000 }, async () => {
  const { faults, outcomes } = await bodies.run({ count: 200, seed: 20_000 });
  assert.deepEqual(faults, []);
  assert.ok((outcomes['status 200'] ?? 0) > 5, `some are right after all: ${JSON.stringify(outcomes)}`);
  assert.ok((outcomes['status 400'] ?? 0) > 50, JSON.stringify(outcomes));
});
