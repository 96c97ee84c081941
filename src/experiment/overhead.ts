/**
 * What ETA costs: time of an answer on each of its paths, as a ratio to the model alone, both asked in turn in one run.
 * Thresholds are set so that every request takes the path that is measured, whatever its picture shows.
 */

import { seedOf } from '../batch/index.js';
import type { BenchmarkItem } from '../benchmark/index.js';
import { throwIfAborted } from '../errors.js';
import type { Eta } from '../eta/index.js';
import { decodeImage } from '../image/index.js';
import type { Cell, Curve, DataTable, PhaseTimes } from '../report/index.js';
import { bootstrap, type Estimate, groupBy, mean, median, quantile } from '../statistics/index.js';
import type { EtaResult } from '../types.js';
import type { Arm } from './arms.js';

/** N of best-of-N. */
export const CANDIDATE_COUNTS: readonly number[] = [1, 2, 3, 5, 8];

/** Every picture and every answer looks unsafe, the aligned one too, which is given out all the same. */
const ALIGNED = { thresholds: { unsafeClipScore: -1, safeReward: 1e6 }, whenStillUnsafe: 'return' } as const;

/** The paths of ETA, the model alone first. */
export function overheadArms(counts: readonly number[]): Arm[] {
  return [
    { name: 'vanilla', method: 'vanilla' },
    { name: 'picture looks safe', method: 'eta', options: { thresholds: { unsafeClipScore: 1 } } },
    { name: 'answer looks safe', method: 'eta', options: { thresholds: { unsafeClipScore: -1, safeReward: -1e6 } } },
    { name: 'shallow', method: 'shallow', options: ALIGNED },
    ...counts.map(
      (count): Arm => ({ name: aligned(count), method: 'eta', options: { ...ALIGNED, candidateCount: count } }),
    ),
  ];
}

const aligned = (count: number) => `aligned, N = ${count}`;

/** One answer and its time. */
export interface Timed {
  readonly model: string;
  readonly arm: string;
  readonly id: string;
  readonly result: Pick<EtaResult, 'timings' | 'usage' | 'stopReason'>;
}

export interface OverheadOptions {
  readonly eta: Eta;
  /** As tables call it. */
  readonly model: string;
  readonly items: readonly BenchmarkItem[];
  readonly counts: readonly number[];
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onAnswer?: ((done: number, wanted: number) => void) | undefined;
}

/** Answers each item under every arm, one at a time; the arms of an item stand next to each other. */
export async function timeArms(options: OverheadOptions): Promise<Timed[]> {
  const { eta, model, items, counts, seed, signal, onAnswer } = options;
  const arms = overheadArms(counts);
  const found: Timed[] = [];
  const wanted = items.length * arms.length;
  const [first] = items;
  // Nothing is measured on a cold start: kernels, caches and the evaluators' threads come up first.
  if (first !== undefined) for (const arm of arms) await ask(eta, arm, first, seed, signal);
  for (const [index, item] of items.entries()) {
    // Whoever comes first after another item would pay for its caches: the order turns from item to item.
    const turn = [...arms.slice(index % arms.length), ...arms.slice(0, index % arms.length)];
    for (const arm of turn) {
      throwIfAborted(signal);
      const result = await ask(eta, arm, item, seed, signal);
      found.push({ model, arm: arm.name, id: item.id, result });
      onAnswer?.(found.length, wanted);
    }
  }
  return found;
}

async function ask(eta: Eta, { method, options }: Arm, item: BenchmarkItem, seed: number, signal?: AbortSignal) {
  const images = item.image === null ? [] : [await decodeImage(item.image)];
  const { timings, usage, stopReason } = await eta.respond({
    ...options,
    prompt: item.prompt,
    images,
    method,
    seed: seedOf(seed, item.id),
    ...(signal === undefined ? {} : { signal }),
  });
  return { timings, usage, stopReason };
}

/** One row for each path of each model. */
export async function overheadTable(timed: readonly Timed[]): Promise<DataTable> {
  const models = [...groupBy(timed, ({ model }) => model)];
  const rows: Cell[][] = [];
  for (const [model, own] of models) {
    for (const [arm, same] of groupBy(own, ({ arm }) => arm)) {
      rows.push([
        models.length > 1 ? `${model}: ${arm}` : arm,
        await ratio(own, arm, 'vanilla', ({ timings }) => timings.totalMs),
        median(same.map(({ result }) => result.timings.totalMs)),
        median(same.map(({ result }) => result.timings.firstTextMs)),
        median(same.map(({ result }) => result.usage.answerTokenCount)),
        median(same.map(({ result }) => result.usage.sampledTokenCount)),
        await ratio(own, arm, 'vanilla', ({ timings, usage }) => timings.totalMs / Math.max(1, usage.answerTokenCount)),
      ]);
    }
  }
  return {
    title: 'Overhead',
    caption:
      'Time of an answer on each path of ETA, one request at a time. "Times vanilla" is the ratio of the medians over the same requests. An aligned answer is made after the model\'s own, and its length is another: the last column takes that out.',
    columns: [
      'path',
      'times vanilla',
      'median (ms)',
      'first text (ms)',
      'answer tokens',
      'sampled tokens',
      'times vanilla, per answer token',
    ],
    rows,
    format: 'number',
  };
}

/** Ratio of two medians over the same items, with an interval by bootstrap over items. */
export async function ratio(
  timed: readonly Timed[],
  one: string,
  other: string,
  figure: (result: Timed['result']) => number,
): Promise<Estimate> {
  const pairs = [...groupBy(timed, ({ id }) => id).values()].flatMap((same) => {
    const [above, below] = [one, other].map((arm) => same.find((row) => row.arm === arm));
    return above === undefined || below === undefined
      ? []
      : [{ above: figure(above.result), below: figure(below.result) }];
  });
  return await bootstrap(
    pairs,
    (sample) => median(sample.map(({ above }) => above)) / median(sample.map(({ below }) => below)),
  );
}

/** Cost over N, a line for each model. */
export async function overheadCurves(timed: readonly Timed[], counts: readonly number[]): Promise<Curve[]> {
  const models = [...groupBy(timed, ({ model }) => model)];
  const series: Curve['series'][number][] = [];
  for (const [model, own] of models) {
    const points: Curve['series'][number]['points'][number][] = [];
    for (const count of counts) {
      const { value, low, high } = await ratio(own, aligned(count), 'vanilla', ({ timings }) => timings.totalMs);
      points.push({ x: count, y: value, low, high });
    }
    series.push({ name: models.length === 1 ? 'eta' : model, points });
  }
  return [
    {
      title: 'Cost over the number of candidates',
      caption:
        'Median time of an answer that is aligned, divided by that of the model alone, both from one run; 95 % intervals by bootstrap over requests.',
      x: 'candidates (N)',
      y: 'times vanilla',
      reference: { name: 'vanilla', value: 1 },
      series,
    },
  ];
}

/** Time by phase of each path. */
export function overheadTimes(timed: readonly Timed[]): PhaseTimes[] {
  const models = new Set(timed.map(({ model }) => model));
  return [...groupBy(timed, ({ model, arm }) => (models.size > 1 ? `${model}: ${arm}` : arm))].map(([method, rows]) => {
    const of = (field: keyof EtaResult['timings']) => rows.map(({ result }) => result.timings[field]);
    const quantiles = (values: readonly number[]) => ({
      median: median(values),
      p90: quantile(values, 0.9),
      mean: mean(values),
    });
    return {
      method,
      count: rows.length,
      meanMs: {
        CLIP: mean(of('clipMs')),
        prefill: mean(of('prefillMs')),
        'own answer': mean(of('vanillaMs')),
        reward: mean(of('rewardMs')),
        alignment: mean(of('alignMs')),
      },
      totalMs: quantiles(of('totalMs')),
      firstTextMs: quantiles(of('firstTextMs')),
    };
  });
}
