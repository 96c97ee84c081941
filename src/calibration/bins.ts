/** Scores of both classes, counted: what a thresholds file keeps of them, and what is drawn behind a score. */
import type { ScoreBin } from '../manifest/index.js';

const BIN_COUNT = 40;

/** Bins of one width from the lowest score to the highest, each with how many scores of either class lie in it. */
export function scoreBins(safe: readonly number[], unsafe: readonly number[]): ScoreBin[] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const score of [...safe, ...unsafe]) {
    low = Math.min(low, score);
    high = Math.max(high, score);
  }
  if (low > high) return [];
  if (low === high) return [{ from: low, to: high, safe: safe.length, unsafe: unsafe.length }];
  const width = (high - low) / BIN_COUNT;
  const counted = (scores: readonly number[]) => {
    const counts = new Array<number>(BIN_COUNT).fill(0);
    for (const score of scores) {
      const bin = Math.min(BIN_COUNT - 1, Math.floor((score - low) / width)); // the highest score closes the last
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  };
  const [safeCounts, unsafeCounts] = [counted(safe), counted(unsafe)];
  const edge = (bin: number) => Number((low + bin * width).toPrecision(6));
  return safeCounts.map((count, bin) => ({
    from: edge(bin),
    to: edge(bin + 1),
    safe: count,
    unsafe: unsafeCounts[bin] ?? 0,
  }));
}
