/** Values that are no options, the short form. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { optionValues } from './option-values.js';

test('values that are no options are refused with a code', { timeout: 120_000 }, async () => {
  const { outcomes, faults } = await optionValues.run({ count: 150, seed: 20_000 });
  assert.deepEqual(faults, []);
  assert.ok((outcomes['ERR_INVALID_OPTION'] ?? 0) > 20);
});

test('a text that is taken for a path leaves no file where the fuzzer is run', { timeout: 120_000 }, async () => {
  const before = readdirSync('.');
  const { outcomes } = await optionValues.run({ count: 1, seed: 1574 }); // { path: 'auto', settings }
  assert.deepEqual(outcomes, { taken: 1 });
  assert.deepEqual(readdirSync('.'), before);
});
