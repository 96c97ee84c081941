/** What the system refuses to a process, in Node's own words, as errors of ours: it can come out of any call. */
import { EngineError, EtaError, FileError, ModelError } from '../errors.js';

/** Calls that start a process, such as "spawn" and "spawn git", or a thread: of others EAGAIN says to try again. */
const STARTS = /^(?:spawn(?:Sync)?\b|fork$|uv_thread_create$)/;

const NO_MEMORY = /out of memory|cannot allocate memory|allocation failed|bad_alloc/i;

/** Undefined for any other error. */
export function lackOf(error: unknown): EtaError | undefined {
  if (!(error instanceof Error) || error instanceof EtaError) return undefined;
  const { code, message, syscall = '' } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  if (code === 'EMFILE')
    return new FileError(
      'ERR_FILE_READ',
      `Expected to open one more file, but this process's limit of open files is reached (${message}). Raise it: ulimit -n with a higher number than ulimit -n shows.`,
      options,
    );
  if (code === 'ENFILE')
    return new FileError(
      'ERR_FILE_READ',
      `Expected to open one more file, but all programs together have as many open as the system takes (${message}). End some of them, or raise the system's limit.`,
      options,
    );
  if ((code === 'EAGAIN' && STARTS.test(syscall)) || code === 'ERR_WORKER_INIT_FAILED')
    return new EngineError(
      'ERR_THREADS',
      `Expected one more thread or process, received: ${message}. Raise the limit: ulimit -u.`,
      options,
    );
  if (code === 'ENOMEM' || code === 'ERR_WORKER_OUT_OF_MEMORY' || NO_MEMORY.test(message))
    return new ModelError(
      'ERR_MEMORY',
      `Expected more memory for this process, received: ${message}. Raise its limit (ulimit -v), or free some.`,
      options,
    );
  return undefined;
}
