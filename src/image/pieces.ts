/** Loops over pixels in pieces: between two the event loop has its turn. */
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';

/** About a millisecond of work, so that looking at a clock between pieces would save nothing. */
export const PIXELS_AT_ONCE = 100_000;

/**
 * Calls `work` for 0 to `count` in order, at most `length` at a time, from `start` up to but not including `end`.
 *
 * @throws AbortError between two pieces; what `work` throws
 */
export async function inPieces(
  count: number,
  length: number,
  signal: AbortSignal | undefined,
  work: (start: number, end: number) => void,
): Promise<void> {
  for (let start = 0; start < count; start += length) {
    if (start > 0) await setImmediate();
    throwIfAborted(signal);
    work(start, Math.min(count, start + length));
  }
}
