/**
 * Every error that eta-vlm throws on purpose. A `code` is stable across versions; the message says what was expected,
 * what came, and what to do.
 */

import { visible } from './visible.js';

/** Codes by the class that carries them: a class told by `instanceof` narrows `code` to its own. */
interface CodesOf {
  UsageError:
    | 'ERR_INVALID_OPTION'
    | 'ERR_UNKNOWN_OPTION'
    | 'ERR_INVALID_REQUEST'
    | 'ERR_PROMPT_TOO_LONG'
    | 'ERR_DEVICE_NOT_FOUND'
    | 'ERR_DISPOSED'
    | 'ERR_INVALID_LINE'
    | 'ERR_COLUMNS'
    | 'ERR_DUPLICATE_ID'
    | 'ERR_RESULTS_EXIST'
    | 'ERR_RESULTS_DIFFER'
    | 'ERR_RESULTS_LOCKED'
    | 'ERR_DATASET_LAYOUT'
    | 'ERR_DATASET_INVALID'
    | 'ERR_LICENCE';
  FileError: 'ERR_FILE_READ' | 'ERR_FILE_WRITE' | 'ERR_FILE_INVALID';
  ImageError: 'ERR_IMAGE_NOT_FOUND' | 'ERR_IMAGE_UNREADABLE' | 'ERR_IMAGE_TOO_LARGE';
  ModelError:
    | 'ERR_MODEL_NOT_FOUND'
    | 'ERR_MODEL_INVALID'
    | 'ERR_MODEL_MISMATCH'
    | 'ERR_NO_PROJECTOR'
    | 'ERR_SELF_TEST'
    | 'ERR_MEMORY'
    | 'ERR_NO_THRESHOLD'
    | 'ERR_PYTHON'
    | 'ERR_CONVERT';
  EngineError:
    | 'ERR_ADDON_NOT_FOUND'
    | 'ERR_ADDON_INVALID'
    | 'ERR_CONTEXT'
    | 'ERR_THREADS'
    | 'ERR_CACHE_FULL'
    | 'ERR_SEQUENCE_LIMIT'
    | 'ERR_FORK_UNSUPPORTED'
    | 'ERR_DECODE'
    | 'ERR_DEVICE_LOST';
  EvaluatorError: 'ERR_EVALUATOR' | 'ERR_NO_DECISION';
  HubError:
    | 'ERR_HUB_UNREACHABLE'
    | 'ERR_HUB_REFUSED'
    | 'ERR_HUB_NOT_FOUND'
    | 'ERR_HUB_BUSY'
    | 'ERR_HUB_REPLY'
    | 'ERR_HUB_HASH'
    | 'ERR_HUB_CONTENT'
    | 'ERR_HUB_CHANGED'
    | 'ERR_HUB_OFFLINE';
  JudgeError: 'ERR_JUDGE_UNREACHABLE' | 'ERR_JUDGE_REFUSED' | 'ERR_JUDGE_REPLY';
  ServerError:
    | 'ERR_KEY'
    | 'ERR_HOST'
    | 'ERR_ORIGIN'
    | 'ERR_ROUTE'
    | 'ERR_POLICY_LOCKED'
    | 'ERR_BODY_TOO_LARGE'
    | 'ERR_HEADERS_TOO_LARGE'
    | 'ERR_BODY_TIMEOUT'
    | 'ERR_BUSY'
    | 'ERR_TIMEOUT'
    | 'ERR_STOPPING'
    | 'ERR_PICTURE_FETCH';
  AbortError: 'ERR_ABORTED';
}

/** Every code. */
export type EtaErrorCode = CodesOf[keyof CodesOf];

/** Base class: `instanceof EtaError` tells an expected failure from a bug. */
export class EtaError extends Error {
  /** What went wrong, for programs; it stays the same across versions. */
  readonly code: EtaErrorCode;

  constructor(code: EtaErrorCode, message: string, options?: { cause?: unknown }) {
    super(visible(message), options); // it may hold names and texts from outside
    this.name = new.target.name;
    this.code = code;
  }
}

/** An error that carries the codes of its class alone. */
abstract class ErrorOf<Code extends EtaErrorCode> extends EtaError {
  declare readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/** An option, a request or a call that cannot be right. */
export class UsageError extends ErrorOf<CodesOf['UsageError']> {}

/** A file of requests or results that cannot be read or written, or holds something else. */
export class FileError extends ErrorOf<CodesOf['FileError']> {}

/** A picture that cannot be read. */
export class ImageError extends ErrorOf<CodesOf['ImageError']> {}

/** A model file that is missing, broken, of another kind, or does not fit its companion. */
export class ModelError extends ErrorOf<CodesOf['ModelError']> {}

/** The native engine refused or failed. */
export class EngineError extends ErrorOf<CodesOf['EngineError']> {}

/** CLIP, the reward model or a decision failed while running, or no decision can be read. */
export class EvaluatorError extends ErrorOf<CodesOf['EvaluatorError']> {}

/** Files of a model hub cannot be listed or fetched, or are not what was announced. */
export class HubError extends ErrorOf<CodesOf['HubError']> {}

/** A judge of answers cannot be asked, or does not answer. */
export class JudgeError extends ErrorOf<CodesOf['JudgeError']> {}

/** A server does not take a request: who asks, how, or how much; what is asked is a UsageError. */
export class ServerError extends ErrorOf<CodesOf['ServerError']> {}

/** The caller's AbortSignal fired; `cause` is the signal's reason. */
export class AbortError extends ErrorOf<CodesOf['AbortError']> {
  constructor(signal?: AbortSignal) {
    super('ERR_ABORTED', 'The operation was aborted by its signal.', { cause: signal?.reason });
  }
}

/** Throws {@link AbortError} when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(signal);
}
