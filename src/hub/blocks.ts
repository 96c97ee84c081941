/** The body of a reply, as long as it comes at a rate that will ever end. */
import { HubError } from '../errors.js';
import type { Reply } from './exchange.js';

/** Bytes a second; a byte now and then would hold a download for days. */
export const LEAST_RATE = 1024;

/**
 * The time without a byte is the connection's to watch. Here the rate is: whenever as long was waited for bytes, enough
 * must have come. What whoever reads does with them is not counted.
 *
 * @throws HubError ERR_HUB_UNREACHABLE; what the reply fails with
 */
export async function* blocksOf(reply: Reply, url: URL, stallMs: number): AsyncGenerator<Buffer, void, void> {
  const blocks = reply[Symbol.asyncIterator]();
  let waitedMs = 0;
  let byteCount = 0;
  for (;;) {
    const startedAt = performance.now();
    const { done, value } = await blocks.next();
    if (done) return;
    waitedMs += performance.now() - startedAt;
    byteCount += (value as Buffer).length;
    yield value as Buffer;
    if (waitedMs < stallMs) continue;
    if (byteCount * 1000 < LEAST_RATE * waitedMs) throw tooSlow(url, byteCount, waitedMs);
    waitedMs = 0;
    byteCount = 0;
  }
}

function tooSlow({ host }: URL, byteCount: number, ms: number): HubError {
  return new HubError(
    'ERR_HUB_UNREACHABLE',
    `Expected ${host} to give at least ${LEAST_RATE} bytes a second, received ${byteCount} in ${(ms / 1000).toFixed(1)} s. Try again later: what was fetched stays. HF_HUB_DOWNLOAD_TIMEOUT sets the seconds over which it is counted.`,
  );
}
