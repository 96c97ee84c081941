/** How long the event loop stands still. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** So long the event loop may stand still. */
export const LIMIT_MS = 50;

/** Processor time of the main thread where Linux tells it, so that a busy machine is not taken for a blocked loop. */
export function mainThreadMs(): number {
  if (process.platform !== 'linux') return performance.now();
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** The longest time between two turns of the event loop. */
export async function longestStretchMs(work: () => Promise<unknown>): Promise<number> {
  let last = mainThreadMs();
  let longest = 0;
  const turn = () => {
    const now = mainThreadMs();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(turn, 1);
  await work();
  turn();
  clearInterval(timer);
  return longest;
}

/**
 * A stretch of the work's own is there in every run; one that a busy machine makes (cold caches, a slow core, code that is
 * compiled) is not: the work is done up to three times.
 */
export async function assertTurns(
  work: () => Promise<unknown>,
  what = 'the event loop stood still for',
): Promise<void> {
  const longest: number[] = [];
  while (longest.length < 3 && !longest.some((stretch) => stretch < LIMIT_MS))
    longest.push(await longestStretchMs(work));
  assert.ok(Math.min(...longest) < LIMIT_MS, `${what} ${longest.map((stretch) => stretch.toFixed(1)).join(', ')} ms`);
}
