/** What the addon throws, as a user gets it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineError, native } from '../../src/engine/native-error.js';
import { AbortError, EngineError, type EtaError, ModelError } from '../../src/errors.js';

const thrown = (code: unknown, message = 'Do this.') => Object.assign(new Error(message), { code });

test('each code has its class and its code, and keeps message and cause', () => {
  const expected: Readonly<Record<string, string>> = {
    INVALID_ARGUMENT: 'UsageError ERR_INVALID_REQUEST',
    MODEL_LOAD_FAILED: 'ModelError ERR_MODEL_INVALID',
    PROJECTOR_LOAD_FAILED: 'ModelError ERR_MODEL_INVALID',
    TEXT_TOO_LONG: 'UsageError ERR_PROMPT_TOO_LONG',
    CONTEXT_FAILED: 'EngineError ERR_CONTEXT',
    NO_PROJECTOR: 'ModelError ERR_NO_PROJECTOR',
    IMAGE_FAILED: 'ImageError ERR_IMAGE_UNREADABLE',
    SEQUENCE_LIMIT: 'EngineError ERR_SEQUENCE_LIMIT',
    UNKNOWN_SEQUENCE: 'UsageError ERR_DISPOSED',
    CACHE_FULL: 'EngineError ERR_CACHE_FULL',
    FORK_UNSUPPORTED: 'EngineError ERR_FORK_UNSUPPORTED',
    NOTHING_TO_SAMPLE: 'UsageError ERR_INVALID_REQUEST',
    DECODE_FAILED: 'EngineError ERR_DECODE',
    STATE_MISMATCH: 'UsageError ERR_INVALID_REQUEST',
    OUT_OF_MEMORY: 'ModelError ERR_MEMORY',
    NO_THREADS: 'EngineError ERR_THREADS',
    DEVICE_FAILED: 'UsageError ERR_DEVICE_NOT_FOUND',
    DEVICE_LOST: 'EngineError ERR_DEVICE_LOST',
    DISPOSED: 'UsageError ERR_DISPOSED',
  };
  for (const [code, meaning] of Object.entries(expected)) {
    const cause = thrown(code);
    const error = engineError(cause) as EtaError;
    assert.deepEqual([`${error.name} ${error.code}`, error.message, error.cause], [meaning, 'Do this.', cause]);
  }
  assert.ok(engineError(thrown('CANCELLED')) instanceof AbortError);
  const mismatch = engineError(thrown('PROJECTOR_LOAD_FAILED', 'mismatch: of another model')) as EtaError;
  assert.ok(mismatch instanceof ModelError && mismatch.code === 'ERR_MODEL_MISMATCH');
  assert.equal((engineError(thrown('MODEL_LOAD_FAILED', 'mismatch')) as EtaError).code, 'ERR_MODEL_INVALID');
});

test('what is none of the addon’s stays as it is', async () => {
  const own = new EngineError('ERR_DECODE', 'ours already');
  for (const error of [
    own,
    new RangeError('x'),
    thrown('toString'),
    thrown('ENOENT'),
    thrown(7),
    'a text',
    undefined,
  ]) {
    assert.equal(engineError(error), error);
    const rethrown = await native(() => {
      throw error;
    }).catch((received: unknown) => received);
    assert.equal(rethrown, error, 'thrown');
    assert.equal(await native(() => Promise.reject(error)).catch((received: unknown) => received), error, 'rejected');
  }
  assert.equal(await native(() => 5), 5);
  await assert.rejects(
    native(() => Promise.reject(thrown('CACHE_FULL'))),
    { code: 'ERR_CACHE_FULL' },
  );
});
