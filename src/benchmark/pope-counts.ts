/** POPE's figures beside accuracy: what "yes" is worth. */
import { groupBy } from '../statistics/index.js';
import type { JudgedAnswer } from './judging.js';

export interface YesNoFigures {
  readonly category: string;
  readonly run: string;
  /** Of the things said to be there, those that are; NaN when none is said to be. */
  readonly precision: number;
  /** Of the things that are there, those said to be. */
  readonly recall: number;
  readonly f1: number;
  readonly yesShare: number;
  readonly count: number;
}

/** One row for each subset and run of questions answered by yes or no. */
export function yesNoFigures(answers: readonly JudgedAnswer[], runs: readonly string[]): YesNoFigures[] {
  const asked = answers.filter(({ instance, value }) => instance.item.key?.kind === 'yes-no' && value !== null);
  return [...groupBy(asked, ({ instance }) => instance.item.category)].flatMap(([category, rows]) =>
    runs.flatMap((run) => {
      const own = rows.filter(({ instance }) => instance.run === run);
      return own.length === 0 ? [] : [{ category, run, ...figures(own) }];
    }),
  );
}

function figures(answers: readonly JudgedAnswer[]) {
  const count = (said: string, right: string) =>
    answers.filter(
      ({ instance, reason }) =>
        reason === said && instance.item.key?.kind === 'yes-no' && instance.item.key.right === right,
    ).length;
  const [hit, falseYes, miss] = [count('yes', 'yes'), count('yes', 'no'), count('no', 'yes')];
  return {
    precision: hit / (hit + falseYes),
    recall: hit / (hit + miss),
    f1: (2 * hit) / (2 * hit + falseYes + miss),
    yesShare: (hit + falseYes) / answers.length,
    count: answers.length,
  };
}
