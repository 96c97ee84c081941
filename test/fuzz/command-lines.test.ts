/** Command lines that nobody should write, the short form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLines } from './command-lines.js';

test('texts that no option takes are refused in a line', { timeout: 120_000 }, async () => {
  const { outcomes, faults } = await commandLines.run({ count: 100, seed: 20_000 });
  assert.deepEqual(faults, []);
  const ran = Object.entries(outcomes).filter(([name]) => name.startsWith('process: exit '));
  assert.equal(
    ran.reduce((sum, [, count]) => sum + count, 0),
    2,
  );
  assert.ok((outcomes['taken'] ?? 0) < 50, JSON.stringify(outcomes));
});
