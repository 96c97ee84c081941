/** What decides the answers of a batch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../src/batch/index.js';
import { loadTiny } from '../eta/tiny.js';

test('repeatable answers are exact anyway: whether that was said decides nothing', async () => {
  await using eta = await loadTiny();
  const exact = { ...eta.facts, exact: true };
  const repeatable = { seed: 1, repeatable: true };
  assert.deepEqual(await settingsOf(exact, repeatable), await settingsOf(eta.facts, repeatable));
  assert.notDeepEqual(await settingsOf(exact, { seed: 1 }), await settingsOf(eta.facts, { seed: 1 }), 'control');
});
