/** How often something that fails in passing is tried again, and how long is waited before. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError, type HubError } from '../errors.js';

/** What came of a try: a value, or a failure that may pass. What will not pass is thrown. */
export type Try<Value> =
  | { readonly value: Value }
  | {
      readonly failure: HubError;
      /** As the hub asked for; null: it did not. */
      readonly waitMs: number | null;
      /** Whether more is there than before: then the tries are counted anew. */
      readonly hasGained: boolean;
    };

export interface Patience {
  /** Tries without a gain. */
  readonly tryCount: number;
  /** Before the second; it doubles from then on. */
  readonly firstWaitMs: number;
  /** A hub that asks for more is not waited for. */
  readonly mostWaitMs: number;
}

export const PATIENCE: Patience = { tryCount: 5, firstWaitMs: 500, mostWaitMs: 60_000 };

/**
 * Tries until there is a value.
 *
 * @throws the last failure; AbortError; what the try throws
 */
export async function persist<Value>(
  attempt: () => Promise<Try<Value>>,
  { tryCount, firstWaitMs, mostWaitMs }: Patience,
  signal: AbortSignal | undefined,
): Promise<Value> {
  for (let failed = 0; ; ) {
    const outcome = await attempt();
    if ('value' in outcome) return outcome.value;
    failed = outcome.hasGained ? 1 : failed + 1;
    const waitMs = outcome.waitMs ?? Math.min(mostWaitMs, firstWaitMs * 2 ** (failed - 1));
    if (failed >= tryCount || waitMs > mostWaitMs) throw outcome.failure;
    await sleep(waitMs, undefined, { signal }).catch(() => {
      throw new AbortError(signal);
    });
  }
}

/** Milliseconds of a Retry-After: seconds, or a date; null where there is none. */
export function retryAfterMs(header: string | undefined, now = Date.now()): number | null {
  if (header === undefined) return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
