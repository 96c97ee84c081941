/** Hearing an AbortSignal. One listener a signal, however many wait under it: Node warns of a leak at the eleventh. */
import { z } from 'zod';
import { AbortError } from './errors.js';

interface Hearing {
  readonly calls: Set<{ readonly call: () => void }>;
  readonly listener: () => void;
}

const hearings = new WeakMap<AbortSignal, Hearing>();

/**
 * Calls `call` when the signal fires; at once when it has fired. It must not throw.
 *
 * @returns takes the call back, and the listener off the signal with the last of them; idempotent
 */
export function onAbort(signal: AbortSignal | undefined, call: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) {
    call();
    return () => undefined;
  }
  const hearing = hearings.get(signal) ?? hear(signal);
  const entry = { call };
  hearing.calls.add(entry);
  return () => {
    if (!hearing.calls.delete(entry) || hearing.calls.size > 0) return;
    signal.removeEventListener('abort', hearing.listener);
    hearings.delete(signal);
  };
}

/** Whether a value is a signal, and not merely an object with its prototype. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (!(value instanceof AbortSignal)) return false;
  try {
    return typeof value.aborted === 'boolean';
  } catch {
    return false;
  }
}

/** An option that ends the work: every room's schema has this one. */
export const signalSchema = z.custom<AbortSignal>(isAbortSignal, 'expected an AbortSignal');

/** Aborts the controller, with the signal's reason, when the signal fires. @returns as {@link onAbort} */
export function followAbort(signal: AbortSignal | undefined, controller: AbortController): () => void {
  return onAbort(signal, () => controller.abort(signal?.reason));
}

/**
 * The value, or AbortError as soon as the signal fires.
 *
 * @param discard gets a value that comes after that; a late error is dropped
 */
export async function orAbort<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
  discard: (late: Value) => void = () => undefined,
): Promise<Value> {
  if (signal === undefined) return await promise;
  let takeBack: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    takeBack = onAbort(signal, () => reject(new AbortError(signal)));
  });
  try {
    return await Promise.race([aborted, promise]);
  } catch (error) {
    promise.then(discard, () => undefined); // it failed, or nobody waits for it any more
    throw error;
  } finally {
    takeBack();
  }
}

function hear(signal: AbortSignal): Hearing {
  const calls: Hearing['calls'] = new Set();
  const listener = () => {
    hearings.delete(signal);
    for (const { call } of calls) call();
    calls.clear();
  };
  const hearing = { calls, listener };
  hearings.set(signal, hearing);
  signal.addEventListener('abort', listener, { once: true });
  return hearing;
}
