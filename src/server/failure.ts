/** Errors as the API tells them: a status, and `{ error: { message, type, param, code } }`. */
import { EtaError, type EtaErrorCode, ImageError, UsageError } from '../errors.js';
import { NO_STORE } from './no-store.js';

/** What a client is told. */
export interface ErrorBody {
  readonly error: {
    /** What was expected, what came, and what to do. */
    readonly message: string;
    /** Coarse, as the API has it. */
    readonly type: string;
    /** The field of the request that is meant; null where it is none. */
    readonly param: string | null;
    /** Of eta-vlm: stable across versions. */
    readonly code: EtaErrorCode | 'ERR_UNEXPECTED';
  };
}

/** Codes whose status is not that of their class. */
const STATUS: Partial<Record<EtaErrorCode, number>> = {
  ERR_KEY: 401,
  ERR_HOST: 403,
  ERR_ORIGIN: 403,
  ERR_POLICY_LOCKED: 403,
  ERR_ROUTE: 404,
  ERR_BODY_TOO_LARGE: 413,
  ERR_HEADERS_TOO_LARGE: 431,
  ERR_BODY_TIMEOUT: 408,
  ERR_IMAGE_TOO_LARGE: 413,
  ERR_BUSY: 429,
  ERR_TIMEOUT: 504,
  ERR_STOPPING: 503,
  ERR_DISPOSED: 503,
  ERR_MEMORY: 503,
  ERR_CACHE_FULL: 400, // the context could never hold it
  ERR_DEVICE_LOST: 503,
  ERR_ABORTED: 503,
  ERR_PICTURE_FETCH: 400,
  ERR_NO_DECISION: 422,
  ERR_SEQUENCE_LIMIT: 400,
  ERR_NO_PROJECTOR: 400,
  ERR_NO_THRESHOLD: 400,
};

const UNEXPECTED = 'Something went wrong in the server, which its own log tells. Ask again; if it stays, report it.';

export function statusOf(error: unknown): number {
  if (!(error instanceof EtaError)) return 500;
  return STATUS[error.code] ?? (error instanceof UsageError || error instanceof ImageError ? 400 : 500);
}

/** What is no error of ours is told without its message, which may hold anything. */
export function bodyOf(error: unknown): ErrorBody {
  const type = typeOf(statusOf(error));
  if (!(error instanceof EtaError))
    return { error: { message: UNEXPECTED, type, param: null, code: 'ERR_UNEXPECTED' } };
  const message = !isFault(error)
    ? error.message
    : `The server cannot answer (${error.code}); its own log tells why. Ask again later.`;
  return { error: { message, type, param: paramOf(error), code: error.code } };
}

/** The whole answer to a request that failed. */
export function failed(error: unknown): Response {
  const status = statusOf(error);
  const headers = new Headers(NO_STORE);
  if (status === 429 || status === 503) headers.set('retry-after', '5');
  if (status === 401) headers.set('www-authenticate', 'Bearer');
  return Response.json(bodyOf(error), { status, headers });
}

/** Whether it is the server's own, and for its operator: such sentences name files of the machine. */
export function isFault(error: EtaError): boolean {
  return statusOf(error) === 500;
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** "request: messages.0.role: expected ..." is about messages.0.role. */
function paramOf(error: EtaError): string | null {
  const [, named] = /^request: ([\w.]+): /.exec(error.message) ?? [];
  const [, unknown] = /^request: (?:[\w.]+: )?unknown option '([^']{1,60})'/.exec(error.message) ?? [];
  return named ?? unknown ?? null;
}
