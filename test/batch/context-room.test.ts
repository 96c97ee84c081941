import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roomFor } from '../../src/batch/index.js';

test('a context has room for prompts of 1024 tokens and what is written of each', () => {
  const policy = { method: 'vanilla', maxTokens: 2000 } as const;
  assert.equal(roomFor(4, policy).contextSize, 4 * (1024 + 2000));
  assert.equal(roomFor(8, policy).contextSize, 8 * (1024 + 2000), 'nothing searches, so no candidates stand beside it');
});

test('a search has room for the other candidates of its last sentence', () => {
  const policy = { method: 'eta', candidateCount: 6, maxTokens: 2000, sentenceTokenLimit: 50 } as const;
  assert.deepEqual(roomFor(7, policy), { contextSize: 7 * (1024 + 2000 + 6 * 50), sequenceCount: 7 * (6 + 1) });
});

test('it is never smaller than a context nobody asked for, and has no more sequences than the engine', () => {
  const small = { method: 'vanilla', maxTokens: 1 } as const;
  assert.deepEqual(roomFor(1, small), { contextSize: 4096, sequenceCount: 32 });
  assert.equal(roomFor(50, { candidateCount: 100 }).sequenceCount, 256);
});
