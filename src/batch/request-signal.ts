/** A request of a batch, under two signals. */
import { followAbort, isAbortSignal } from '../abort.js';
import type { Eta, EtaRequest } from '../eta/index.js';
import type { EtaResult } from '../types/result.js';

/**
 * The answer; the batch's signal ends it, or the request's own, whichever fires first.
 *
 * @throws what `respond` throws
 */
export async function answerUnder(eta: Eta, request: EtaRequest, signal: AbortSignal): Promise<EtaResult> {
  const { signal: own } = request;
  if (own === undefined) return await eta.respond({ ...request, signal });
  if (!isAbortSignal(own)) return await eta.respond(request); // which refuses it
  const controller = new AbortController();
  const takeBack = [own, signal].map((followed) => followAbort(followed, controller));
  try {
    return await eta.respond({ ...request, signal: controller.signal });
  } finally {
    for (const call of takeBack) call();
  }
}
