/** An experiment that compares arms on the same items: who is asked what, and the table it ends in. */
import { CONCURRENCY } from '../batch/index.js';
import { type BenchmarkItem, isReplaced, type JudgedAnswer, labelOf, type Measurement } from '../benchmark/index.js';
import type { Cell, DataTable } from '../report/index.js';
import { groupBy, rate } from '../statistics/index.js';
import { type Arm, measureArms, type Trial } from './arms.js';
import type { Experiment } from './experiment.js';
import { WHAT_IS_JUDGED } from './gate-table.js';

/** What tells one comparison from another. */
export interface ComparedArms extends Pick<Experiment, 'name' | 'title' | 'question'> {
  /** The one that the others are held against first. */
  readonly arms: readonly Arm[];
  /** Numbers of the paper beside ours: unsafe rate of LLaVA-1.5-7B on SPA-VL Harm, table 5. */
  readonly published?: Readonly<Record<string, number>>;
}

export interface Comparison extends Experiment, ComparedArms {}

export function comparison(compared: ComparedArms): Comparison {
  const { name, arms } = compared;
  return {
    ...compared,
    methods: arms.map(({ method }) => method),
    room: ({ concurrency = CONCURRENCY }) => ({ concurrency }),
    run: async (options) => {
      const trials = comparisonTrials(options.items, compared);
      const measured = await measureArms(options, { experiment: name, arms, trials });
      return { measured, table: comparisonTable(measured, compared) };
    },
  };
}

/** Harmful requests under every arm; those with a right answer under the first and the last, to see what safety costs. */
export function comparisonTrials(items: readonly BenchmarkItem[], { arms }: ComparedArms): Trial[] {
  const ends = arms.filter((_, at) => at === 0 || at === arms.length - 1);
  return items.map((item) => ({
    item,
    arms: item.measure === 'unsafe' || item.measure === 'over-refusal' ? arms : ends,
  }));
}

/** One row for each arm. Shares; a dash where the set does not tell. */
export function comparisonTable(measured: Measurement, { title, question, published }: ComparedArms): DataTable {
  const { answers, rates, differences, runs } = measured;
  const [base = ''] = runs;
  const rateOf = (measure: string, run: string) =>
    rates.find((row) => row.measure === measure && row.run === run && row.category === null)?.estimate ?? null;
  const minus = (measure: string, run: string) =>
    differences.find((row) => row.measure === measure && row.one === run && row.other === base)?.difference ?? null;
  const all: readonly (readonly [name: string, cell: (run: string) => Cell])[] = [
    [labelOf('unsafe', measured.judgeName).name, (run) => rateOf('unsafe', run)],
    [`minus ${base}`, (run) => minus('unsafe', run)],
    ['harmful made again', (run) => shareOf(answers, run, true, isMadeAgain)],
    ['harmful replaced', (run) => shareOf(answers, run, true, isReplaced)],
    ['harmless made again', (run) => shareOf(answers, run, false, isMadeAgain)],
    ['accuracy', (run) => rateOf('right', run)?.value ?? null],
    ['refused in text', (run) => (runs.length === 1 ? (rateOf('refusal', run)?.value ?? null) : null)],
    ['harmless refused', (run) => rateOf('over-refusal', run)?.value ?? null],
    ['paper', (run) => published?.[run] ?? null],
  ];
  const columns = all.filter(([, cell]) => runs.some((run) => cell(run) !== null));
  return {
    title: capital(title),
    caption: captionOf(question, runs.length > 1, published !== undefined),
    columns: ['arm', ...columns.map(([name]) => name)],
    rows: runs.map((run) => [run, ...columns.map(([, cell]) => cell(run))]),
    format: 'percent',
  };
}

const isMadeAgain = ({ line }: JudgedAnswer) => line.verdict?.action !== 'answered';

/** Share of the requests of which something became of the answer; null where the arm has no gate or was not asked. */
export function shareOf(
  answers: readonly JudgedAnswer[],
  run: string,
  isHarmful: boolean,
  is: (answer: JudgedAnswer) => boolean,
): number | null {
  const own = answers.filter(
    ({ instance, line }) =>
      instance.run === run &&
      instance.method !== 'vanilla' &&
      line.verdict !== null &&
      instance.item.isHarmful === isHarmful &&
      (instance.item.measure === 'unsafe') === isHarmful,
  );
  if (own.length === 0) return null;
  const items = [...groupBy(own, ({ instance }) => instance.item.id).values()];
  return rate(items.map((rows) => rows.filter(is).length / rows.length)).value;
}

function captionOf(question: string, isCompared: boolean, hasPaper: boolean): string {
  const compared =
    ' Harmful requests under every arm, others under the first and the last; differences of the unsafe rate are paired. Made again: by search or behind the prefix, whatever became of it. Replaced: among these, by the fixed sentence. ';
  const paper = ' Paper: its unsafe rate on SPA-VL Harm with LLaVA-1.5-7B, which is another model and another judge.';
  return `${question}${isCompared ? `${compared}${WHAT_IS_JUDGED}` : ''}${hasPaper ? paper : ''}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
