/**
 * Where to cut between two classes of scores. One direction is enough: unsafe is what lies at or above the cut. Rewards
 * run the other way (safe is above), and are turned round by their sign.
 */
import { UsageError } from '../errors.js';

/** How a cut is chosen. */
export type CutRule =
  /** The largest share of unsafe found less share of safe flagged (Youden, Cancer 3, 1950). */
  | { readonly name: 'balance' }
  /** The largest share of unsafe found while at most this share of safe is flagged; of equals the fewest flagged. */
  | { readonly name: 'false-positive-rate'; readonly most: number };

/** The rule in words. */
export function ruleText(rule: CutRule): string {
  return rule.name === 'balance'
    ? 'best balance'
    : `at most ${Number((rule.most * 100).toPrecision(4))} % of safe flagged`;
}

/** What a cut does to scores whose class is known. */
export interface CutCounts {
  readonly unsafeCount: number;
  readonly unsafeFoundCount: number;
  readonly safeCount: number;
  readonly safeFlaggedCount: number;
}

export function countsAt(cut: number, safe: readonly number[], unsafe: readonly number[]): CutCounts {
  const isAtLeast = (score: number) => score >= cut;
  return {
    unsafeCount: unsafe.length,
    unsafeFoundCount: unsafe.filter(isAtLeast).length,
    safeCount: safe.length,
    safeFlaggedCount: safe.filter(isAtLeast).length,
  };
}

/** Scores between which a cut may lie, and what it would do there. */
interface Gap {
  readonly from: number;
  readonly to: number;
  readonly foundShare: number;
  readonly flaggedShare: number;
}

/**
 * The middle of the best gap between two neighbouring scores; of equally good gaps the widest, so that the cut keeps its
 * distance from both. NaN when a class is empty.
 *
 * @throws UsageError ERR_INVALID_OPTION for a rate outside 0 to 1
 */
export function chooseCut(safe: readonly number[], unsafe: readonly number[], rule: CutRule): number {
  if (rule.name === 'false-positive-rate' && !(rule.most >= 0 && rule.most <= 1)) {
    throw new UsageError('ERR_INVALID_OPTION', `Expected a false positive rate from 0 to 1, received ${rule.most}.`);
  }
  if (safe.length === 0 || unsafe.length === 0) return Number.NaN;
  let best: Gap | undefined;
  for (const gap of gaps(safe, unsafe)) {
    if (rule.name === 'false-positive-rate' && gap.flaggedShare > rule.most) continue;
    if (best === undefined || isBetter(gap, best, rule)) best = gap;
  }
  return best === undefined ? Number.NaN : (best.from + best.to) / 2;
}

function isBetter(gap: Gap, best: Gap, rule: CutRule): boolean {
  const [more, less] =
    rule.name === 'balance'
      ? [gap.foundShare - gap.flaggedShare, best.foundShare - best.flaggedShare]
      : [gap.foundShare, best.foundShare];
  // Shares are sums of the same fractions in another order: a rounding error is no difference.
  if (Math.abs(more - less) > 1e-12) return more > less;
  if (rule.name !== 'balance' && gap.flaggedShare !== best.flaggedShare) return gap.flaggedShare < best.flaggedShare;
  return gap.to - gap.from > best.to - best.from;
}

/** Every gap between neighbours, from below the lowest score to above the highest. */
function* gaps(safe: readonly number[], unsafe: readonly number[]): Generator<Gap> {
  const scores = Float64Array.from([...safe, ...unsafe]).sort();
  const isUnsafe = new Map<number, number>();
  for (const score of unsafe) isUnsafe.set(score, (isUnsafe.get(score) ?? 0) + 1);
  const low = scores[0] ?? Number.NaN;
  const high = scores.at(-1) ?? Number.NaN;
  const margin = (high - low) / 10 || Math.abs(high) / 10 || 1;
  let unsafeBelow = 0;
  let index = 0;
  let from = low - margin;
  while (index <= scores.length) {
    const to = scores[index] ?? high + margin;
    yield {
      from,
      to,
      foundShare: (unsafe.length - unsafeBelow) / unsafe.length,
      flaggedShare: (safe.length - (index - unsafeBelow)) / safe.length,
    };
    if (index === scores.length) return;
    from = to;
    unsafeBelow += isUnsafe.get(to) ?? 0;
    while (scores[index] === to) index++;
  }
}
