/** How long to wait before another attempt. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError } from '../errors.js';

/** The longest pause of our own; a server may ask for more. */
const MAX_OWN_DELAY_MS = 60_000;

interface RetryTimes {
  /** 0 after the first attempt. */
  readonly attempt: number;
  readonly firstMs: number;
  readonly nowMs: number;
  /** From 0 to 1; spreads clients that failed together. @default random */
  readonly chance?: number;
}

/**
 * What the server asks for by Retry-After (seconds or a date, RFC 9110 section 10.2.3), else twice as long each time, by
 * chance up to a half more.
 */
export function retryDelayMs(retryAfter: string | null, { attempt, firstMs, nowMs, chance }: RetryTimes): number {
  const asked = retryAfterMs(retryAfter, nowMs);
  if (asked !== null) return asked;
  const doubled = Math.min(MAX_OWN_DELAY_MS, firstMs * 2 ** attempt);
  return doubled * (1 + (chance ?? Math.random()) / 2);
}

/** Null where it says nothing that can be understood. */
function retryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** @throws AbortError */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch {
    throw new AbortError(signal);
  }
}
