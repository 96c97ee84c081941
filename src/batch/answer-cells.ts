/** An answer as a row of a table: what is nested in its line, in columns of its own. */
import type { WrittenCell, WrittenColumn } from '../tables/index.js';
import type { Judgement, Verdict } from '../types/verdict.js';
import type { AnswerLine } from './answer-line.js';

interface Column extends WrittenColumn {
  of(line: AnswerLine): WrittenCell | undefined;
}

const text = (name: string, of: Column['of']): Column => ({ name, type: 'STRING', of });
const count = (name: string, of: Column['of']): Column => ({ name, type: 'INT64', of });
const number = (name: string, of: Column['of']): Column => ({ name, type: 'DOUBLE', of });

const judged = (side: 'picture' | 'answer' | 'final'): Column[] => {
  const judgement = ({ verdict }: AnswerLine): Judgement | null | undefined => (verdict as Verdict | null)?.[side];
  return [
    text(`${side}Evaluator`, (line) => judgement(line)?.evaluator),
    number(`${side}Score`, (line) => judgement(line)?.score),
    number(`${side}Threshold`, (line) => judgement(line)?.threshold),
    { name: `${side}IsUnsafe`, type: 'BOOLEAN', of: (line) => judgement(line)?.isUnsafe },
  ];
};

/** A trace stands in the line alone. */
const COLUMNS: readonly Column[] = [
  text('id', ({ id }) => id),
  count('line', ({ line }) => line),
  text('text', (line) => line.text),
  text('action', ({ verdict }) => verdict?.action),
  text('stopReason', ({ stopReason }) => stopReason),
  text('errorCode', ({ error }) => error?.code),
  text('errorMessage', ({ error }) => error?.message),
  ...judged('picture'),
  ...judged('answer'),
  ...judged('final'),
  text('method', ({ method }) => method),
  count('seed', ({ seed }) => seed),
  text('model', ({ model }) => model),
  count('promptTokenCount', ({ usage }) => usage?.promptTokenCount),
  count('imageTokenCount', ({ usage }) => usage?.imageTokenCount),
  count('answerTokenCount', ({ usage }) => usage?.answerTokenCount),
  count('sampledTokenCount', ({ usage }) => usage?.sampledTokenCount),
  number('firstTextMs', ({ timings }) => timings?.firstTextMs),
  number('totalMs', ({ timings }) => timings?.totalMs),
  text('digest', ({ digest }) => digest),
];

/** In their order, the same for every batch. */
export const ANSWER_COLUMNS: readonly WrittenColumn[] = COLUMNS.map(({ name, type }) => ({ name, type }));

/** A cell for each of {@link ANSWER_COLUMNS}; null for what the line has not. */
export function answerCells(line: AnswerLine): WrittenCell[] {
  return COLUMNS.map(({ of }) => of(line) ?? null);
}
