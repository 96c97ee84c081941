/** Times of answers as the table, the curve and the phases of a report. */
import type { Cell, Curve, DataTable, PhaseTimes } from '../report/index.js';
import { bootstrap, type Estimate, groupBy, mean, median, quantile } from '../statistics/index.js';
import type { EtaResult } from '../types/result.js';

/** Name of the arm whose every answer is aligned, with so many candidates. */
export const aligned = (count: number) => `aligned, N = ${count}`;

/** One answer and its time. */
export interface Timed {
  readonly model: string;
  readonly arm: string;
  readonly id: string;
  readonly result: Pick<EtaResult, 'timings' | 'usage' | 'stopReason'>;
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
async function ratio(
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
