/** The addon's error codes become ours, in this one place. Its messages say what to do already, and stay. */
import { AbortError, EngineError, EtaError, type EtaErrorCode, ImageError, ModelError, UsageError } from '../errors.js';
import type { NativeErrorCode } from '../native/binding-types.js';

type ErrorClass = new (code: EtaErrorCode, message: string, options?: { cause?: unknown }) => EtaError;

const MEANINGS: Readonly<Record<Exclude<NativeErrorCode, 'CANCELLED'>, readonly [ErrorClass, EtaErrorCode]>> = {
  INVALID_ARGUMENT: [UsageError, 'ERR_INVALID_REQUEST'],
  MODEL_LOAD_FAILED: [ModelError, 'ERR_MODEL_INVALID'],
  PROJECTOR_LOAD_FAILED: [ModelError, 'ERR_MODEL_INVALID'],
  TEXT_TOO_LONG: [UsageError, 'ERR_PROMPT_TOO_LONG'],
  CONTEXT_FAILED: [EngineError, 'ERR_CONTEXT'],
  NO_PROJECTOR: [ModelError, 'ERR_NO_PROJECTOR'],
  IMAGE_FAILED: [ImageError, 'ERR_IMAGE_UNREADABLE'],
  SEQUENCE_LIMIT: [EngineError, 'ERR_SEQUENCE_LIMIT'],
  UNKNOWN_SEQUENCE: [UsageError, 'ERR_DISPOSED'],
  CACHE_FULL: [EngineError, 'ERR_CACHE_FULL'],
  FORK_UNSUPPORTED: [EngineError, 'ERR_FORK_UNSUPPORTED'],
  NOTHING_TO_SAMPLE: [UsageError, 'ERR_INVALID_REQUEST'],
  DECODE_FAILED: [EngineError, 'ERR_DECODE'],
  STATE_MISMATCH: [UsageError, 'ERR_INVALID_REQUEST'],
  DISPOSED: [UsageError, 'ERR_DISPOSED'],
};

/** What the addon threw, as one of our classes; anything that is not the addon's passes unchanged. */
export function engineError(error: unknown): unknown {
  if (error instanceof EtaError || !(error instanceof Error)) return error;
  const code = (error as Error & { code?: unknown }).code;
  if (code === 'CANCELLED') return new AbortError();
  if (typeof code !== 'string' || !Object.hasOwn(MEANINGS, code)) return error;
  const [Class, meaning] = MEANINGS[code as keyof typeof MEANINGS];
  const isOfAnotherModel = code === 'PROJECTOR_LOAD_FAILED' && error.message.includes('mismatch');
  return new Class(isOfAnotherModel ? 'ERR_MODEL_MISMATCH' : meaning, error.message, { cause: error });
}

/** Runs a call of the addon; what it throws or rejects with leaves as one of our classes. */
export async function native<Value>(call: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    throw engineError(error);
  }
}
