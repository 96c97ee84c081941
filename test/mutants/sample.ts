/** Which of all faults of a room are planted: drawn by a seed, of every file as likely as it is large. */
import { Random } from '../fuzz/random.js';
import type { Fault } from './fault.js';

/** Draws until so many are taken, or none is left. */
export function sample(
  faults: readonly Fault[],
  { count, seed, takes }: { readonly count: number; readonly seed: number; takes(fault: Fault): boolean },
): Fault[] {
  const random = new Random(seed);
  const left = [...faults];
  const taken: Fault[] = [];
  while (taken.length < count && left.length > 0) {
    const [fault] = left.splice(random.below(left.length), 1);
    if (fault !== undefined && takes(fault)) taken.push(fault);
  }
  return taken;
}
