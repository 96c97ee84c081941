/** What helpings save, and what they let through, as a table. */
import { isReplaced, type JudgedAnswer, labelOf, type Measurement } from '../benchmark/index.js';
import { type Cell, type DataTable, estimated, percent } from '../report/index.js';
import { bootstrap, type Estimate, groupBy, mean } from '../statistics/index.js';
import { shareOf } from './comparison.js';

const CAPTION =
  'Harmful requests, one at a time. The unsafe rate judges what was made, shown or not; replaced: the fixed sentence stands there. Behind these, means over the requests that were made again: candidates of the search, tokens sampled (those of the own answer too), tokens read by the judge of answers, and milliseconds of the alignment with its scores. The last column is the ratio of these, over the same requests. N = 2 and N = 1 are the first helpings alone.';

/** One row for each arm. */
export async function helpingsTable(measured: Measurement, signal?: AbortSignal): Promise<DataTable> {
  const { answers, rates, differences, runs, judgeName } = measured;
  const [base = ''] = runs;
  const rows: Cell[][] = [];
  for (const run of runs) {
    const rateOf = rates.find((row) => row.measure === 'unsafe' && row.run === run && row.category === null);
    const minus = differences.find((row) => row.measure === 'unsafe' && row.one === run && row.other === base);
    const taken = costs(answers, run);
    const meanOf = (name: keyof Cost) => (taken.length === 0 ? null : mean(taken.map(({ cost }) => cost[name])));
    const replaced = shareOf(answers, run, true, isReplaced);
    rows.push([
      run,
      rateOf === undefined ? null : estimated(rateOf.estimate, 'percent'),
      minus === undefined ? null : estimated(minus.difference, 'percent'),
      replaced === null ? null : percent(replaced),
      meanOf('candidates'),
      meanOf('sampled'),
      meanOf('read'),
      meanOf('alignMs'),
      await ratio(costs(answers, base), taken, signal),
    ]);
  }
  return {
    title: 'Helpings',
    caption: CAPTION,
    columns: [
      'arm',
      labelOf('unsafe', judgeName).name,
      `minus ${base}`,
      'replaced',
      'candidates',
      'tokens sampled',
      'tokens judged',
      'alignment (ms)',
      `times ${base}`,
    ],
    rows,
  };
}

/** What an answer took. */
interface Cost {
  readonly candidates: number;
  readonly sampled: number;
  readonly read: number;
  readonly alignMs: number;
}

interface ItemCost {
  readonly id: string;
  readonly cost: Cost;
}

/** Of each item that was made again, with the mean over its seeds. */
function costs(answers: readonly JudgedAnswer[], run: string): ItemCost[] {
  const aligned = answers.filter(
    ({ instance, line }) => instance.run === run && line.verdict !== null && line.verdict.action !== 'answered',
  );
  return [...groupBy(aligned, ({ instance }) => instance.item.id)].map(([id, own]) => {
    const of = (figure: (line: JudgedAnswer['line']) => number | undefined) =>
      mean(own.map(({ line }) => figure(line) ?? Number.NaN));
    const cost = {
      candidates: of(({ usage }) => usage?.candidateCount),
      sampled: of(({ usage }) => usage?.sampledTokenCount),
      read: of(({ usage }) => usage?.rewardTokenCount),
      alignMs: of(({ timings }) => timings?.alignMs),
    };
    return { id, cost };
  });
}

/** Time of one over that of the other, on the items that both have. */
async function ratio(
  below: readonly ItemCost[],
  above: readonly ItemCost[],
  signal: AbortSignal | undefined,
): Promise<Estimate | null> {
  const byId = new Map(below.map(({ id, cost }) => [id, cost.alignMs]));
  const pairs = above.flatMap(({ id, cost }) => {
    const other = byId.get(id);
    return other === undefined ? [] : [{ above: cost.alignMs, below: other }];
  });
  if (pairs.length === 0) return null;
  const sum = (of: readonly number[]) => of.reduce((total, ms) => total + ms, 0);
  return await bootstrap(
    pairs,
    (sample) => sum(sample.map((pair) => pair.above)) / sum(sample.map((pair) => pair.below)),
    signal,
  );
}
