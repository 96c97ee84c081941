/** Sees everything but what happens at `high` itself. Becomes a test file where it is copied to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWithin } from '../../src/numbers/within.js';

test('numbers within, at the lower end, and outside', () => {
  assert.deepEqual(
    [5, 0, -1, 11].map((value) => isWithin(value, 0, 10)),
    [true, true, false, false],
  );
});
