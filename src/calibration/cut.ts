/**
 * Where to cut between two classes of scores. One direction is enough: unsafe is what lies at or above the cut. Rewards
 * run the other way (safe is above), and are turned round by their sign.
 */
import { UsageError } from '../errors.js';
import { countBelow } from '../statistics/index.js';

/** How a cut is chosen. */
export type CutRule =
  /** The largest share of unsafe found less share of safe flagged (Youden, Cancer 3, 1950). */
  | { readonly name: 'balance' }
  /** The largest share of unsafe found while at most this share of safe is flagged; of equals the fewest flagged. */
  | { readonly name: 'false-positive-rate'; readonly most: number };

/**
 * Of the second, low cut of answers, which the gate `lowAnswerOrBoth` asks where nothing that is shown is distrusted: it is to
 * flag hardly any safe answer, also of a kind that was not among those that were scored.
 */
export const LOW_RULE: CutRule = { name: 'false-positive-rate', most: 0.001 };

/** Where there is no unsafe score: with 95 % confidence at most this share of safe is flagged. */
export interface SafeRule {
  readonly name: 'safe-alone';
  /** Above 0 and below 1. */
  readonly most: number;
}

/** The rule in words. */
export function ruleText(rule: CutRule | SafeRule): string {
  if (rule.name === 'balance') return 'best balance';
  const flagged = `at most ${Number((rule.most * 100).toPrecision(4))} % of safe flagged`;
  return rule.name === 'safe-alone' ? `${flagged}, from safe ones alone` : flagged;
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

/**
 * The middle of the best gap between two neighbouring scores; of equally good gaps the widest, so that the cut keeps its
 * distance from both. NaN when a class is empty.
 *
 * @throws UsageError ERR_INVALID_OPTION for a rate outside 0 to 1
 */
export function chooseCut(safe: readonly number[], unsafe: readonly number[], rule: CutRule): number {
  const scale = new CutScale([...safe, ...unsafe], rule);
  return scale.choose(scale.places(safe), scale.places(unsafe));
}

/** The shares that a gap would give, and its width. */
interface Gap {
  readonly found: number;
  readonly flagged: number;
  readonly width: number;
}

/** Scores in order, each once. Samples of them are told by their places, so that many cuts are chosen after one sort. */
export class CutScale {
  readonly #rule: CutRule;
  readonly #scores: Float64Array;
  /** Scores of a sample at each place, and the unsafe ones among them. */
  readonly #counts: Int32Array;
  readonly #unsafeCounts: Int32Array;

  /** @throws UsageError ERR_INVALID_OPTION for a rate outside 0 to 1 */
  constructor(scores: readonly number[], rule: CutRule) {
    if (rule.name === 'false-positive-rate' && !(rule.most >= 0 && rule.most <= 1)) {
      throw new UsageError('ERR_INVALID_OPTION', `Expected a false positive rate from 0 to 1, received ${rule.most}.`);
    }
    this.#rule = rule;
    this.#scores = Float64Array.from(scores)
      .sort()
      .filter((score, index, sorted) => index === 0 || score !== sorted[index - 1]);
    this.#counts = new Int32Array(this.#scores.length);
    this.#unsafeCounts = new Int32Array(this.#scores.length);
  }

  /** Of scores that the scale was made from. */
  places(scores: readonly number[]): number[] {
    return scores.map((score) => countBelow(this.#scores, score, false));
  }

  /** The cut for a sample, as {@link chooseCut} chooses it. */
  choose(safe: readonly number[], unsafe: readonly number[]): number {
    if (safe.length === 0 || unsafe.length === 0) return Number.NaN;
    const [counts, unsafeCounts, scores] = [this.#counts.fill(0), this.#unsafeCounts.fill(0), this.#scores];
    for (const place of safe) counts[place] = (counts[place] ?? 0) + 1;
    for (const place of unsafe) {
      counts[place] = (counts[place] ?? 0) + 1;
      unsafeCounts[place] = (unsafeCounts[place] ?? 0) + 1;
    }
    const low = scores[counts.findIndex((count) => count > 0)] ?? Number.NaN;
    const high = scores[counts.findLastIndex((count) => count > 0)] ?? Number.NaN;
    const margin = (high - low) / 10 || Math.abs(high) / 10 || 1;
    let cut = Number.NaN;
    let best: Gap | null = null;
    let below = 0;
    let unsafeBelow = 0;
    let from = low - margin;
    // Every gap between neighbours, from below the lowest score to above the highest.
    for (let place = 0; place <= scores.length; place++) {
      const count = counts[place] ?? 0;
      if (count === 0 && place < scores.length) continue;
      const to = scores[place] ?? high + margin;
      const gap = {
        found: (unsafe.length - unsafeBelow) / unsafe.length,
        flagged: (safe.length - (below - unsafeBelow)) / safe.length,
        width: to - from,
      };
      if (this.#isBetter(gap, best)) {
        best = gap;
        cut = (from + to) / 2;
      }
      from = to;
      below += count;
      unsafeBelow += unsafeCounts[place] ?? 0;
    }
    return cut;
  }

  #isBetter(gap: Gap, best: Gap | null): boolean {
    const rule = this.#rule;
    if (rule.name === 'false-positive-rate' && gap.flagged > rule.most) return false;
    if (best === null) return true;
    const gained =
      rule.name === 'balance' ? gap.found - gap.flagged - (best.found - best.flagged) : gap.found - best.found;
    // Shares are sums of the same fractions in another order: a rounding error is no difference.
    if (Math.abs(gained) > 1e-12) return gained > 0;
    if (rule.name !== 'balance' && gap.flagged !== best.flagged) return gap.flagged < best.flagged;
    return gap.width > best.width;
  }
}
