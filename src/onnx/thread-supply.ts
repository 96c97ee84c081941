/**
 * Whether the system gives the threads that onnxruntime takes for granted: where it gets only some of them, it waits for ever
 * for those that it did get to end.
 */
import { loadBinding } from '../native/binding.js';
import type { NativeBinding } from '../native/binding-types.js';

/** onnxruntime's words where it gets none. */
const REFUSED = /pthread_create failed/;

/** @throws Error with code NO_THREADS, where there is an addon to tell */
export function expectThreads(count: number): void {
  addon()?.checkThreads(count);
}

/** What to say of an error by which the addon, Node or onnxruntime tells that it gets no thread; undefined of any other. */
export function lackOfThreads(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, message } = error as Error & { code?: unknown };
  if (code === 'NO_THREADS') return message;
  if (code !== 'ERR_WORKER_INIT_FAILED' && !REFUSED.test(message)) return undefined;
  return `Expected more threads for the evaluators, received: ${message.trim()}. Ask for fewer (threadCount), or raise the limit.`;
}

function addon(): NativeBinding | undefined {
  try {
    return loadBinding();
  } catch {
    return undefined; // evaluators run without it
  }
}
