/** Room for the candidates that the command line is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequenceCountFor } from '../../src/cli/load-models.js';
import { searchSequenceCount } from '../../src/search/index.js';

test('--n has room for a search of as many candidates, and fewer than the default take nothing away', () => {
  for (const count of [1, 5, 15, 16, 31, 32, 33, 64]) {
    const room = sequenceCountFor(count);
    assert.ok(room !== undefined && room >= searchSequenceCount(count), `--n ${count}: ${room} sequences`);
  }
  assert.equal(sequenceCountFor(2), sequenceCountFor(1));
  assert.equal(sequenceCountFor(undefined), undefined);
});
