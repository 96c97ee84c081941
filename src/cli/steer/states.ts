/** The states of requests of a file, one after the other; what cannot be read is named and passed over. */
import { EngineError, ImageError, UsageError } from '../../errors.js';
import { turnsOf } from '../../eta/request-turns.js';
import type { LayerReader } from '../../steering/index.js';
import type { Requests } from '../batch/requests.js';

/** A request that could not be read. */
export interface Unread {
  /** Its id, or its place. */
  readonly name: string;
  readonly reason: string;
}

/** @throws EtaError what is not one request's fault; AbortError */
export async function* readStates(
  requests: Requests,
  reader: LayerReader,
  { unread, signal }: { readonly unread: Unread[]; readonly signal: AbortSignal },
): AsyncGenerator<Float32Array, void, void> {
  for await (const asked of requests.read({ signal })) {
    const name = asked.id ?? `request ${asked.line}`;
    if ('error' in asked) {
      unread.push({ name, reason: asked.error.message });
      continue;
    }
    let state: Float32Array;
    try {
      state = await reader.stateOf(turnsOf(asked.request), signal);
    } catch (error) {
      if (!isItsFault(error)) throw error;
      unread.push({ name, reason: error.message });
      continue;
    }
    yield state;
  }
}

/** Its picture, its text, or that it is too long. */
function isItsFault(error: unknown): error is ImageError | UsageError | EngineError {
  if (error instanceof ImageError) return true;
  if (error instanceof UsageError) return error.code === 'ERR_INVALID_REQUEST' || error.code === 'ERR_PROMPT_TOO_LONG';
  return error instanceof EngineError && error.code === 'ERR_CACHE_FULL';
}
