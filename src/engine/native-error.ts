/** The addon's error codes become ours, in this one place. Its messages say what to do already, and stay. */
import { AbortError, EngineError, EtaError, type EtaErrorCode, ImageError, ModelError, UsageError } from '../errors.js';
import type { NativeErrorCode } from '../native/error-types.js';

/** Makes the error of a message and its cause. */
type Meaning = (message: string, cause: unknown) => EtaError;

const MEANINGS: Readonly<Record<Exclude<NativeErrorCode, 'CANCELLED'>, Meaning>> = {
  INVALID_ARGUMENT: means(UsageError, 'ERR_INVALID_REQUEST'),
  MODEL_LOAD_FAILED: means(ModelError, 'ERR_MODEL_INVALID'),
  PROJECTOR_LOAD_FAILED: means(ModelError, 'ERR_MODEL_INVALID'),
  TEXT_TOO_LONG: means(UsageError, 'ERR_PROMPT_TOO_LONG'),
  CONTEXT_FAILED: means(EngineError, 'ERR_CONTEXT'),
  NO_PROJECTOR: means(ModelError, 'ERR_NO_PROJECTOR'),
  IMAGE_FAILED: means(ImageError, 'ERR_IMAGE_UNREADABLE'),
  SEQUENCE_LIMIT: means(EngineError, 'ERR_SEQUENCE_LIMIT'),
  UNKNOWN_SEQUENCE: means(UsageError, 'ERR_DISPOSED'),
  CACHE_FULL: means(EngineError, 'ERR_CACHE_FULL'),
  FORK_UNSUPPORTED: means(EngineError, 'ERR_FORK_UNSUPPORTED'),
  NOTHING_TO_SAMPLE: means(UsageError, 'ERR_INVALID_REQUEST'),
  DECODE_FAILED: means(EngineError, 'ERR_DECODE'),
  STATE_MISMATCH: means(UsageError, 'ERR_INVALID_REQUEST'),
  OUT_OF_MEMORY: means(ModelError, 'ERR_MEMORY'),
  NO_THREADS: means(EngineError, 'ERR_THREADS'),
  DEVICE_FAILED: means(UsageError, 'ERR_DEVICE_NOT_FOUND'),
  DEVICE_LOST: means(EngineError, 'ERR_DEVICE_LOST'),
  DISPOSED: means(UsageError, 'ERR_DISPOSED'),
};

const OF_ANOTHER_MODEL = means(ModelError, 'ERR_MODEL_MISMATCH');

/** What the addon threw, as one of our classes; anything that is not the addon's passes unchanged. */
export function engineError(error: unknown): unknown {
  if (error instanceof EtaError || !(error instanceof Error)) return error;
  const code = (error as Error & { code?: unknown }).code;
  if (code === 'CANCELLED') return new AbortError();
  if (typeof code !== 'string' || !Object.hasOwn(MEANINGS, code)) return error;
  const isOfAnotherModel = code === 'PROJECTOR_LOAD_FAILED' && error.message.includes('mismatch');
  const meaning = isOfAnotherModel ? OF_ANOTHER_MODEL : MEANINGS[code as keyof typeof MEANINGS];
  return meaning(error.message, error);
}

/** An error of this class; the compiler holds the code to it. */
function means<Code extends EtaErrorCode>(
  Class: new (code: Code, message: string, options: { cause: unknown }) => EtaError,
  code: NoInfer<Code>,
): Meaning {
  return (message, cause) => new Class(code, message, { cause });
}

/** Runs a call of the addon; what it throws or rejects with leaves as one of our classes. */
export async function native<Value>(call: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    throw engineError(error);
  }
}
