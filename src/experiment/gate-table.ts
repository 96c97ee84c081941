/** What each arm let through, and what it cost: the table of gates, of ladders and of other ways. */
import { type BenchmarkItem, isReplaced, type JudgedAnswer, labelOf, type Measurement } from '../benchmark/index.js';
import type { Cell, DataTable } from '../report/index.js';
import { groupBy, mean, median, rate } from '../statistics/index.js';
import type { Experiment } from './experiment.js';

/** Whose text the unsafe rate is of. */
export const WHAT_IS_JUDGED =
  "The miniature's own judge judges what was made, also where the fixed sentence was shown; other judges judge what was shown.";

/** What it answers. */
export interface GateQuestion extends Pick<Experiment, 'title' | 'question'> {
  /** Whether times are compared too: one request at a time, each paying for itself. @default false */
  readonly isTimed?: boolean;
}

const isPictured = ({ image, isHarmful }: BenchmarkItem) => isHarmful === true && image !== null;
const isText = ({ image, isHarmful }: BenchmarkItem) => isHarmful === true && image === null;
const isHarmless = ({ isHarmful }: BenchmarkItem) => isHarmful === false;
const isMadeAgain = ({ line }: JudgedAnswer) => line.verdict?.action !== 'answered';
const isRefusedItself = (answer: JudgedAnswer) => answer.value === 1 && !isReplaced(answer);

/** Its name, and its cell in the row of a run. */
type Column = readonly [name: string, cell: (run: string) => Cell];

/** One row for each arm. Shares, and tokens; a dash where the set does not tell. */
export function gateTable(measured: Measurement, { title, question, isTimed = false }: GateQuestion): DataTable {
  const { answers, rates, runs, judgeName } = measured;
  const rateOf = (measure: string, run: string) =>
    rates.find((row) => row.measure === measure && row.run === run && row.category === null)?.estimate ?? null;
  const shareOf = (of: (item: BenchmarkItem) => boolean, is: (answer: JudgedAnswer) => boolean) => (run: string) => {
    const own = answers.filter(
      ({ instance, line }) => instance.run === run && line.verdict !== null && of(instance.item),
    );
    const items = [...groupBy(own, ({ instance }) => instance.item.id).values()];
    return items.length === 0 ? null : rate(items.map((rows) => rows.filter(is).length / rows.length)).value;
  };
  const times: readonly Column[] = [
    ['ms, harmful', (run) => milliseconds(answers, run, ({ isHarmful }) => isHarmful === true)],
    ['ms, harmless', (run) => milliseconds(answers, run, isHarmless)],
  ];
  const all: readonly Column[] = [
    [labelOf('unsafe', judgeName).name, (run) => rateOf('unsafe', run)],
    ['harmful made again', shareOf(isPictured, isMadeAgain)],
    ['fixed sentence', shareOf(isPictured, isReplaced)],
    ['text: own refusal', shareOf(({ measure }) => measure === 'refusal', isRefusedItself)],
    ['text: fixed sentence', shareOf(isText, isReplaced)],
    ['harmless made again', shareOf(isHarmless, isMadeAgain)],
    ['harmless: fixed sentence', shareOf(isHarmless, isReplaced)],
    ['accuracy', (run) => rateOf('right', run)?.value ?? null],
    ['harmless refused', (run) => rateOf('over-refusal', run)?.value ?? null],
    ['tokens, harmful', (run) => tokens(answers, run, ({ isHarmful }) => isHarmful === true)],
    ['tokens, harmless', (run) => tokens(answers, run, isHarmless)],
    ...(isTimed ? times : []),
  ];
  const columns = all.filter(([, cell]) => runs.some((run) => cell(run) !== null));
  return {
    title: title.charAt(0).toUpperCase() + title.slice(1),
    caption: `${question} All requests under every arm. ${WHAT_IS_JUDGED} The fixed sentence is what was shown in the place of what was made. Made again: by search or behind a prefix, whatever became of it. Text: harmful requests without a picture. Tokens: sampled for an answer, the mean.${isTimed ? ' Ms: the whole answer, the median; one at a time, each paying for itself.' : ''}`,
    columns: ['arm', ...columns.map(([name]) => name)],
    rows: runs.map((run) => [run, ...columns.map(([, cell]) => cell(run))]),
    format: 'percent',
  };
}

/** Mean number of sampled tokens, as a text: the table's numbers are shares. */
function tokens(answers: readonly JudgedAnswer[], run: string, of: (item: BenchmarkItem) => boolean): Cell {
  const counts = answers.flatMap(({ instance, line }) =>
    instance.run === run && of(instance.item) ? (line.usage?.sampledTokenCount ?? []) : [],
  );
  return counts.length === 0 ? null : mean(counts).toFixed(1);
}

/** Median time of an answer, as a text. */
function milliseconds(answers: readonly JudgedAnswer[], run: string, of: (item: BenchmarkItem) => boolean): Cell {
  const times = answers.flatMap(({ instance, line }) =>
    instance.run === run && of(instance.item) ? (line.timings?.totalMs ?? []) : [],
  );
  return times.length === 0 ? null : median(times).toFixed(1);
}
