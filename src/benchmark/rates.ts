/** Shares by run and category, and differences between runs on the same items. */
import type { PairedDifference } from '../report/index.js';
import {
  bootstrap,
  type Estimate,
  groupBy,
  mcnemar,
  mean,
  type PairedCounts,
  pairedCounts,
  pairedDifference,
  rate,
} from '../statistics/index.js';
import { Turns } from '../turns.js';
import { isReplaced } from './answers.js';
import type { BenchmarkItem, Measure } from './item.js';
import type { JudgedAnswer } from './judging.js';

/** Share of one run, in one category or in all. */
export interface MeasuredRate {
  readonly measure: Measure;
  readonly run: string;
  /** null: all. */
  readonly category: string | null;
  /** Over items with a judged answer; an item counts once, with the mean over its seeds. */
  readonly estimate: Estimate;
  /** Items without one. */
  readonly unjudgedCount: number;
  /** Answers, those of every seed, and those among them that nobody could judge or that failed. */
  readonly answerCount: number;
  readonly unjudgedAnswerCount: number;
  /** Answers in whose place the fixed refusal stands. */
  readonly replacedAnswerCount: number;
}

/**
 * Two runs on the items that both have a judged answer to. Where there are several seeds, the difference is one of means
 * over them, and the counts and the test are of the first; a half counts as yes.
 */
export interface MeasuredDifference extends Omit<PairedDifference, 'test'> {
  readonly measure: Measure;
}

/** The value of each item: the mean over its judged answers; null where there is none. Questions of a group count as one. */
export async function itemValues(
  answers: readonly JudgedAnswer[],
  turns = new Turns(),
): Promise<Map<string, number | null>> {
  if (turns.isDue) await turns.give();
  const groups = groupBy(answers, ({ instance }) => instance.item.group ?? instance.item.id);
  return new Map(await turns.map(groups, ([id, same]) => [id, meanValue(same)]));
}

function meanValue(answers: readonly JudgedAnswer[]): number | null {
  // Rounds of a circular question: right only when all are, in each seed.
  const seeds = groupBy(answers, ({ instance }) => String(instance.seed));
  const values = [...seeds.values()].flatMap((rounds) => {
    const judged = rounds.flatMap(({ value }) => (value === null ? [] : [value]));
    return judged.length < rounds.length
      ? []
      : [judged.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)];
  });
  return values.length === 0 ? null : mean(values);
}

/** Every share: all categories of a measure, and each. */
export async function rates(
  answers: readonly JudgedAnswer[],
  runs: readonly string[],
  signal?: AbortSignal,
): Promise<MeasuredRate[]> {
  const turns = new Turns(signal);
  const found: MeasuredRate[] = [];
  for (const measure of measuresOf(answers)) {
    if (turns.isDue) await turns.give();
    const measured = answers.filter(({ instance }) => instance.item.measure === measure);
    const categories = [...new Set(measured.map(({ instance }) => instance.item.category))];
    for (const run of runs) {
      if (turns.isDue) await turns.give();
      const own = measured.filter(({ instance }) => instance.run === run && !isBase(measure, run));
      if (turns.isDue) await turns.give();
      const parts = groupBy(own, ({ instance }) => instance.item.category);
      const each = categories.length < 2 ? [] : categories.filter((category) => parts.has(category));
      if (own.length > 0) found.push(await rateOf({ measure, run, category: null }, own, turns));
      for (const category of each)
        found.push(await rateOf({ measure, run, category }, parts.get(category) ?? [], turns));
    }
  }
  return found;
}

/** Vanilla's own answers are what others are compared with: they cannot win against themselves. */
export const isBase = (measure: Measure, run: string) => measure === 'preferred' && run === 'vanilla';

async function rateOf(
  of: Pick<MeasuredRate, 'measure' | 'run' | 'category'>,
  answers: readonly JudgedAnswer[],
  turns: Turns,
): Promise<MeasuredRate> {
  const values = [...(await itemValues(answers, turns)).values()];
  const judged = values.filter((value) => value !== null);
  return {
    ...of,
    estimate: rate(judged),
    unjudgedCount: values.length - judged.length,
    answerCount: answers.length,
    unjudgedAnswerCount: answers.filter(({ value }) => value === null).length,
    replacedAnswerCount: answers.filter(isReplaced).length,
  };
}

/** Each pair of runs in the given order, for every measure. */
export async function differences(
  answers: readonly JudgedAnswer[],
  pairs: readonly (readonly [one: string, other: string])[],
  signal?: AbortSignal,
): Promise<MeasuredDifference[]> {
  const turns = new Turns(signal);
  const found: MeasuredDifference[] = [];
  for (const measure of measuresOf(answers)) {
    if (measure === 'preferred') continue;
    for (const [one, other] of pairs) {
      if (turns.isDue) await turns.give();
      const of = (run: string) =>
        answers.filter(({ instance }) => instance.run === run && instance.item.measure === measure);
      const row = await difference(of(one), of(other), signal, turns);
      if (row !== null) found.push({ measure, category: null, one, other, ...row });
    }
  }
  return found;
}

/** Share of the first less share of the other over the items of both; null where they share none. */
export async function difference(
  one: readonly JudgedAnswer[],
  other: readonly JudgedAnswer[],
  signal?: AbortSignal,
  turns = new Turns(signal),
): Promise<Pick<MeasuredDifference, 'difference' | 'onlyOneCount' | 'onlyOtherCount' | 'pValue'> | null> {
  const pairs = pairedValues(await itemValues(one, turns), await itemValues(other, turns));
  if (pairs.length === 0) return null;
  const counts = await firstSeedCounts(one, other, turns);
  const isPlain = pairs.every((pair) => Object.values(pair).every((value) => value === 0 || value === 1));
  const { midP, discordantCount } = mcnemar(counts);
  return {
    difference: isPlain ? pairedDifference(counts) : await meanDifference(pairs, signal),
    onlyOneCount: counts.firstOnly,
    onlyOtherCount: counts.otherOnly,
    pValue: discordantCount === 0 ? null : midP,
  };
}

/** Means over several seeds, or shares of a right answer: bootstrap over items. */
async function meanDifference(
  pairs: readonly { readonly one: number; readonly other: number }[],
  signal: AbortSignal | undefined,
): Promise<Estimate> {
  return await bootstrap(pairs, (sample) => mean(sample.map(({ one, other }) => one - other)), signal);
}

/** Yes or no of each item under the first seed of each run; a half counts as yes. */
async function firstSeedCounts(
  one: readonly JudgedAnswer[],
  other: readonly JudgedAnswer[],
  turns: Turns,
): Promise<PairedCounts> {
  const first = (answers: readonly JudgedAnswer[]) => {
    const seed = answers[0]?.instance.seed;
    return itemValues(
      answers.filter(({ instance }) => instance.seed === seed),
      turns,
    );
  };
  const pairs = pairedValues(await first(one), await first(other));
  return pairedCounts(
    pairs.map((pair) => pair.one >= 0.5),
    pairs.map((pair) => pair.other >= 0.5),
  );
}

function pairedValues(
  one: ReadonlyMap<string, number | null>,
  other: ReadonlyMap<string, number | null>,
): { one: number; other: number }[] {
  return [...one].flatMap(([id, value]) => {
    const opposite = other.get(id);
    return value === null || opposite === null || opposite === undefined ? [] : [{ one: value, other: opposite }];
  });
}

export function measuresOf(answers: readonly JudgedAnswer<BenchmarkItem>[]): Measure[] {
  return [...new Set(answers.map(({ instance }) => instance.item.measure))];
}
