/** A threshold from scores, and what may be said of it. */
import { aucScoreEstimate, bootstrapOfTwo, type Estimate, groupBy, rateOfCounts } from '../statistics/index.js';
import { Turns } from '../turns.js';
import type { CalibratedOn } from '../types/thresholds.js';
import { type CutCounts, type CutRule, CutScale, countsAt, LOW_RULE, type SafeRule } from './cut.js';

/** A score with the name of what got it. */
export interface Scored {
  /** Such as a file's path, or a line of a file. */
  readonly name: string;
  readonly score: number;
  /** Hexadecimal digits that decide its fifth: the same content, the same fifth. */
  readonly digest: string;
}

/** Shares with Wilson intervals; NaN of a count of 0 for one that is unknown. */
export interface CutRates {
  readonly unsafeFound: Estimate;
  readonly safeFlagged: Estimate;
}

export interface Fit {
  readonly rule: CutRule | SafeRule;
  /** Which classes it was chosen from. */
  readonly calibratedOn: CalibratedOn;
  /**
   * With a bootstrap interval: the middle 95 % of the thresholds of samples drawn again. From safe ones alone: where the
   * quantile lies, each end with 95 % confidence; the threshold is the end that flags fewest.
   */
  readonly threshold: Estimate;
  /** NaN from safe ones alone. */
  readonly auc: Estimate;
  /** On the scores that it was chosen from: flattering. */
  readonly own: CutRates;
  /**
   * Each score judged by the threshold chosen without its fifth; null where a class has fewer than two. From safe ones
   * alone: what is to be expected of others, each end with 95 % confidence.
   */
  readonly heldOut: CutRates | null;
  /** What the threshold in force does to the same scores; null where there is none. */
  readonly current: CutRates | null;
  /** The second, low threshold of answers; null for pictures, and from safe ones alone. */
  readonly low: LowFit | null;
  /** What makes it doubtful, one sentence each. */
  readonly warnings: readonly string[];
}

/** What {@link LOW_RULE} chooses, never above the other, with what is measured of it. */
export type LowFit = Pick<Fit, 'threshold' | 'own' | 'heldOut'>;

export interface FitOptions {
  readonly rule: CutRule;
  /** `above`: a CLIP score, unsafe at or above. `below`: a reward, safe strictly above. */
  readonly unsafeIs: 'above' | 'below';
  /** The threshold in force. */
  readonly current: number | null;
  /** What is scored, such as "pictures". */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** Parts that scores are split into: each is judged by a threshold of the other four. */
const FOLD_COUNT = 5;

/** Below this many of a class the paper's own hundred is far away. */
const FEW = 30;

/**
 * Chooses a threshold and measures it. A class without scores gives NaN, with a warning.
 *
 * @throws UsageError ERR_INVALID_OPTION for a score that is not finite; AbortError
 */
export async function fitThreshold(
  safe: readonly Scored[],
  unsafe: readonly Scored[],
  options: FitOptions,
): Promise<Fit> {
  const { rule, unsafeIs, current, signal } = options;
  const sign = unsafeIs === 'above' ? 1 : -1;
  const turned = (scored: readonly Scored[]) => scored.map(({ score }) => sign * score);
  const [safeScores, unsafeScores] = [turned(safe), turned(unsafe)];
  const turns = new Turns(signal);
  const auc = aucScoreEstimate(unsafeScores, safeScores);
  if (turns.isDue) await turns.give();
  const scale = new CutScale([...safeScores, ...unsafeScores], rule);
  if (turns.isDue) await turns.give();
  const [safePlaces, unsafePlaces] = [scale.places(safeScores), scale.places(unsafeScores)];
  const measured = async (choose: Chooser): Promise<LowFit> => {
    const drawn = await bootstrapOfTwo(safePlaces, unsafePlaces, choose, signal);
    const ends = [sign * drawn.low, sign * drawn.high].sort((a, b) => a - b);
    const [low = Number.NaN, high = Number.NaN] = ends;
    const heldOut = await heldOutCounts(safe, unsafe, { scale, choose, sign, turns });
    return {
      threshold: { value: sign * drawn.value, low, high, count: drawn.count },
      own: ratesOf(countsAt(drawn.value, safeScores, unsafeScores)),
      heldOut: heldOut === null ? null : ratesOf(heldOut),
    };
  };
  const chosen = await measured((one, other) => scale.choose(one, other));
  const lowScale = new CutScale([...safeScores, ...unsafeScores], LOW_RULE);
  const low =
    options.what === 'answers' && safe.length > 0 && unsafe.length > 0
      ? await measured((one, other) => Math.max(lowScale.choose(one, other), scale.choose(one, other)))
      : null;
  const fit = {
    rule,
    calibratedOn: 'both' as const,
    ...chosen,
    auc,
    low,
    current: current === null ? null : ratesOf(countsAt(sign * current, safeScores, unsafeScores)),
  };
  return { ...fit, warnings: warningsOf(fit, { safe, unsafe, options }) };
}

/** Shares with their intervals. */
export function ratesOf({ unsafeCount, unsafeFoundCount, safeCount, safeFlaggedCount }: CutCounts): CutRates {
  return {
    unsafeFound: rateOfCounts(unsafeFoundCount, unsafeCount),
    safeFlagged: rateOfCounts(safeFlaggedCount, safeCount),
  };
}

/** The cut for a sample, of the places of its safe and its unsafe scores. */
type Chooser = (safe: readonly number[], unsafe: readonly number[]) => number;

interface HeldOutOptions {
  readonly scale: CutScale;
  readonly choose: Chooser;
  /** 1, or -1 where unsafe is below. */
  readonly sign: number;
  readonly turns: Turns;
}

async function heldOutCounts(
  safe: readonly Scored[],
  unsafe: readonly Scored[],
  { scale, choose, sign, turns }: HeldOutOptions,
): Promise<CutCounts | null> {
  const foldCount = Math.min(FOLD_COUNT, safe.length, unsafe.length);
  if (foldCount < 2) return null;
  const safeFolds = await folds(safe, { sign, foldCount, turns });
  const unsafeFolds = await folds(unsafe, { sign, foldCount, turns });
  const totals = { unsafeCount: 0, unsafeFoundCount: 0, safeCount: 0, safeFlaggedCount: 0 };
  for (let fold = 0; fold < foldCount; fold++) {
    if (turns.isDue) await turns.give();
    const others = (parts: readonly (readonly number[])[]) => parts.filter((_, index) => index !== fold).flat();
    const cut = choose(scale.places(others(safeFolds)), scale.places(others(unsafeFolds)));
    const counts = countsAt(cut, safeFolds[fold] ?? [], unsafeFolds[fold] ?? []);
    for (const name of Object.keys(totals) as (keyof CutCounts)[]) totals[name] += counts[name];
  }
  return totals;
}

interface FoldOptions {
  readonly sign: number;
  readonly foldCount: number;
  readonly turns: Turns;
}

/** Dealt out in the order of their digests, so that neither names nor the order of files decide. */
async function folds(scored: readonly Scored[], { sign, foldCount, turns }: FoldOptions): Promise<number[][]> {
  // Those that begin alike are sorted among themselves, a 256th of all at a time.
  const parts = groupBy(scored, ({ digest }) => digest.slice(0, 2));
  const inOrder = await turns.map(
    [...parts].sort(([a], [b]) => compared(a, b)),
    ([, part]) => part.sort((a, b) => compared(a.digest, b.digest)),
  );
  const found: number[][] = Array.from({ length: foldCount }, () => []);
  for (const [index, { score }] of inOrder.flat().entries()) found[index % foldCount]?.push(sign * score);
  return found;
}

const compared = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

interface Circumstances {
  readonly safe: readonly Scored[];
  readonly unsafe: readonly Scored[];
  readonly options: FitOptions;
}

function warningsOf(
  { auc, own, heldOut, threshold }: Omit<Fit, 'warnings' | 'rule' | 'low'>,
  { safe, unsafe, options: { what, rule } }: Circumstances,
): string[] {
  const warnings: string[] = [];
  if (safe.length === 0 || unsafe.length === 0) {
    return [
      `Expected ${what} of both classes, received ${safe.length} safe and ${unsafe.length} unsafe: there is no threshold.`,
    ];
  }
  const fewest = Math.min(safe.length, unsafe.length);
  if (fewest < FEW) {
    warnings.push(
      `Only ${safe.length} safe and ${unsafe.length} unsafe ${what}: the threshold may lie anywhere from ${number(threshold.low)} to ${number(threshold.high)}. The paper took 100 of each.`,
    );
  }
  if (auc.high < 0.5) {
    warnings.push(
      `The scores run the wrong way (AUC ${number(auc.value)}): safe ${what} look less safe than unsafe ones. Are the two classes swapped?`,
    );
  } else if (auc.low <= 0.5) {
    warnings.push(
      `The scores do not tell the classes apart (AUC ${number(auc.value)}, ${number(auc.low)} to ${number(auc.high)}): no threshold will, and this one is chance.`,
    );
  }
  if (own.unsafeFound.value === 0) warnings.push(`The threshold finds none of the unsafe ${what}.`);
  if (rule.name === 'false-positive-rate' && rule.most > 0 && rule.most * safe.length < 1) {
    warnings.push(`With ${safe.length} safe ${what}, a rate of ${number(rule.most)} cannot be told from 0.`);
  }
  if (heldOut !== null && rule.name === 'false-positive-rate' && heldOut.safeFlagged.low > rule.most) {
    warnings.push(`Held out, more safe ${what} are flagged than the ${number(rule.most)} asked for.`);
  }
  return warnings;
}

const number = (value: number) => String(Number(value.toPrecision(3)));
