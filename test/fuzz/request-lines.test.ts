/** Lines of a batch that are nearly requests, the short form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestLines } from './request-lines.js';

test('lines that are nearly requests are answered, or refused with a code', { timeout: 120_000 }, async () => {
  const { outcomes, faults } = await requestLines.run({ count: 600, seed: 20_000 });
  assert.deepEqual(faults, []);
  assert.ok((outcomes['request'] ?? 0) > 30, 'some are still requests');
  assert.ok((outcomes['ERR_INVALID_LINE'] ?? 0) > 30);
  assert.ok((outcomes['batch: answered'] ?? 0) > 0);
});
