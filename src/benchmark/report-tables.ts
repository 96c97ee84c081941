/** Tables of a report beside its rates: what the answers of a measurement were made of. */
import type { DataTable } from '../report/index.js';
import { groupBy } from '../statistics/index.js';
import type { Action, Judgement } from '../types.js';
import type { JudgedAnswer } from './judging.js';
import { labelOf } from './labels.js';
import { yesNoFigures } from './pope-counts.js';
import { measuresOf } from './rates.js';
import type { Measurement } from './run.js';

/** Those that have a row. */
export function tables({ answers, runs, judgeName }: Measurement): DataTable[] {
  const all = [
    yesAndNo(answers, runs),
    outcomes(answers, judgeName),
    uncalibrated(answers),
    comparisons(answers),
    categories(answers),
  ];
  return all.filter(({ rows }) => rows.length > 0);
}

function yesAndNo(answers: readonly JudgedAnswer[], runs: readonly string[]): DataTable {
  return {
    title: 'Yes and no',
    caption:
      'Of the things said to be there, those that are (precision); of those that are there, those said to be (recall).',
    columns: ['subset', 'method', 'precision', 'recall', 'F1', 'said yes', 'questions'],
    rows: yesNoFigures(answers, runs).map(({ category, run, precision, recall, f1, yesShare, count }) => [
      category,
      run,
      precision,
      recall,
      f1,
      yesShare,
      String(count),
    ]),
    format: 'percent',
  };
}

function outcomes(answers: readonly JudgedAnswer[], judgeName: string): DataTable {
  const decided = answers.filter(({ line }) => line.verdict !== null);
  return {
    title: 'What became of the answers',
    caption:
      "Share of the answers: the model's own (answered), generated again (aligned), the fixed sentence in their place.",
    columns: ['', 'method', 'answered', 'aligned', 'fixed sentence', 'answers'],
    rows: measuresOf(decided).flatMap((measure) => {
      const { name } = labelOf(measure, judgeName);
      const measured = decided.filter(({ instance }) => instance.item.measure === measure);
      return byRun(measured).map(([run, rows]) => {
        const share = (action: Action) => shareOf(rows, ({ line }) => line.verdict?.action === action);
        return [name, run, share('answered'), share('aligned'), share('refused'), String(rows.length)];
      });
    }),
    format: 'percent',
  };
}

/** Runs that judged by a threshold which was not measured for the model and the prompts in force. */
function uncalibrated(answers: readonly JudgedAnswer[]): DataTable {
  const judged = answers.filter(({ line }) => judgementsOf(line).length > 0);
  const isUncalibrated = ({ line }: JudgedAnswer) => judgementsOf(line).some(({ isCalibrated }) => !isCalibrated);
  // Nothing is known of one, of the other how many safe ones it flags.
  const isUnknown = ({ line }: JudgedAnswer) => judgementsOf(line).some(({ calibratedOn }) => calibratedOn === null);
  const isSafeAlone = (one: JudgedAnswer) => isUncalibrated(one) && !isUnknown(one);
  return {
    title: 'Thresholds that are not calibrated',
    caption:
      'Share of the requests that CLIP or the reward model judged in which a threshold was not measured for this model ' +
      'and these prompts, or on safe ones alone, so that how many unsafe ones it misses is unknown.',
    columns: ['method', 'not calibrated', 'on safe ones alone', 'judged requests'],
    rows: byRun(judged)
      .filter(([, rows]) => rows.some(isUncalibrated))
      .map(([run, rows]) => [run, shareOf(rows, isUnknown), shareOf(rows, isSafeAlone), String(rows.length)]),
    format: 'percent',
  };
}

function judgementsOf({ verdict }: JudgedAnswer['line']): Judgement[] {
  return [verdict?.picture, verdict?.answer, verdict?.final].flatMap((judgement) => judgement ?? []);
}

function comparisons(answers: readonly JudgedAnswer[]): DataTable {
  const compared = answers.filter(({ comparison }) => comparison !== undefined);
  return {
    title: "Against the model's own answers",
    caption: 'Each pair asked in both orders. A verdict that turns with the order is a tie, and counted apart too.',
    columns: ['method', 'wins', 'ties', 'of these, by order', 'losses', 'unjudged'],
    rows: byRun(compared).map(([run, rows]) => {
      const count = (verdict: string) =>
        String(rows.filter(({ comparison }) => comparison?.verdict === verdict).length);
      const byOrder = rows.filter(({ comparison }) => comparison?.dependsOnOrder === true).length;
      return [run, count('first'), count('tie'), String(byOrder), count('other'), count('unjudged')];
    }),
  };
}

function categories(answers: readonly JudgedAnswer[]): DataTable {
  const named = answers.filter(({ instance, category }) => instance.item.measure === 'unsafe' && category !== null);
  const words = [...new Set(named.map(({ category }) => category ?? ''))].sort();
  return {
    title: 'What the judge calls the answers',
    caption: 'Share of the answers of each method.',
    columns: ['method', ...words, 'answers'],
    rows: byRun(named).map(([run, rows]) => [
      run,
      ...words.map((word) => shareOf(rows, ({ category }) => category === word)),
      String(rows.length),
    ]),
    format: 'percent',
  };
}

function byRun(answers: readonly JudgedAnswer[]): [run: string, rows: JudgedAnswer[]][] {
  return [...groupBy(answers, ({ instance }) => instance.run)];
}

function shareOf(answers: readonly JudgedAnswer[], holds: (answer: JudgedAnswer) => boolean): number {
  return answers.filter(holds).length / answers.length;
}
