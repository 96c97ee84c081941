/** Why a call to a hub's host failed. */
import { AbortError, HubError } from '../errors.js';

/** What a request or the stream of a reply failed with, in words. */
export function failureOf(error: unknown, url: URL, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return new AbortError(signal);
  if (error instanceof HubError || error instanceof AbortError) return error;
  return new HubError(
    'ERR_HUB_UNREACHABLE',
    `Expected ${url.host} to be reached and to answer, but it failed: ${reasonOf(error)}. Check the network, HF_ENDPOINT and the proxy; what was fetched stays.`,
    { cause: error },
  );
}

function reasonOf(error: unknown): string {
  const { errors, message, code } = error as NodeJS.ErrnoException & { readonly errors?: readonly unknown[] };
  if (errors?.[0] !== undefined) return reasonOf(errors[0]); // one for each address of a host
  return message || code || String(error);
}
