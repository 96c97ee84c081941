/** Answers as OpenAI's Batch API writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openaiLine } from '../../src/batch/openai-line.js';

test('two equal requests have answers of their own names', () => {
  const failed = {
    ...{ id: null, text: null, stopReason: null, verdict: null, method: null, seed: null, model: null },
    ...{
      usage: null,
      timings: null,
      digest: '0123456789abcdef',
      error: { code: 'ERR_INVALID_LINE' as const, message: 'no' },
    },
  };
  const [one, two] = [1, 2].map((line) => openaiLine({ ...failed, line }));
  assert.deepEqual([one?.['id'], one?.['custom_id']], ['batch_req_0123456789abcdef-1', 'line-1']);
  assert.notEqual(one?.['id'], two?.['id']);
});
