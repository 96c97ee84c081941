/** How long the event loop stands still. */
import { readFileSync } from 'node:fs';

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
