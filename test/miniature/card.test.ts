import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillMarkers } from '../../models/evaluation/card.js';

test('a document without markers is refused', () => {
  const path = new URL(import.meta.url).pathname;
  assert.throws(() => fillMarkers(path, 'nothing', 'x'), {
    code: 'ERR_INVALID_OPTION',
    message: /Expected <!-- begin nothing -->/,
  });
});
