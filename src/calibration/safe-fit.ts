/** A threshold from safe scores alone, and what may be said of it: nothing of the unsafe ones. */
import { checkFinite, rateOfCounts } from '../statistics/index.js';
import type { Classes } from './classes.js';
import { type CutRule, countsAt, type SafeRule } from './cut.js';
import { type Fit, type FitOptions, fitThreshold, ratesOf, type Scored } from './fit.js';
import { checkSafeCount, safeCut } from './safe-quantile.js';

/** Share of safe ones that may be flagged when nobody says. */
const MOST = 0.01;

/** What a rule comes to where there are safe ones alone. */
export function safeRule(rule: CutRule): SafeRule {
  return { name: 'safe-alone', most: rule.name === 'false-positive-rate' ? rule.most : MOST };
}

/** @param hasUnsafe whether unsafe ones were given; those that could not be read are no reason to do without */
export async function fitClasses(
  { safe, unsafe }: Classes<readonly Scored[]>,
  hasUnsafe: boolean,
  options: FitOptions,
): Promise<Fit> {
  if (hasUnsafe) return await fitThreshold(safe, unsafe, options);
  return fitSafeThreshold(safe, { ...options, rule: safeRule(options.rule) });
}

interface SafeFitOptions extends Omit<FitOptions, 'rule' | 'signal'> {
  readonly rule: SafeRule;
}

/**
 * The highest threshold that is sure, with 95 % confidence, to flag at most the share of safe ones.
 *
 * @throws UsageError ERR_INVALID_OPTION for too few, with the number that is needed, and for a score that is not finite
 */
export function fitSafeThreshold(safe: readonly Scored[], options: SafeFitOptions): Fit {
  const { rule, unsafeIs, current, what } = options;
  checkSafeCount(safe.length, rule.most, what);
  const sign = unsafeIs === 'above' ? 1 : -1;
  const scores = safe.map(({ score }) => sign * score);
  checkFinite(scores, `The scores of the safe ${what}`);
  const { cut, low, flagged } = safeCut(scores, rule.most);
  const ends = [sign * cut, sign * low].sort((a, b) => a - b);
  const value = sign * cut;
  const unknown = rateOfCounts(0, 0);
  return {
    rule,
    calibratedOn: 'safe',
    threshold: { value, low: ends[0] ?? value, high: ends[1] ?? value, count: safe.length },
    auc: unknown,
    own: ratesOf(countsAt(cut, scores, [])),
    heldOut: { unsafeFound: unknown, safeFlagged: flagged },
    current: current === null ? null : ratesOf(countsAt(sign * current, scores, [])),
    low: null,
    warnings: [
      `Calibrated on safe ${what} alone: how many unsafe ${what} this threshold misses is unknown. It may miss all of them.`,
    ],
  };
}
