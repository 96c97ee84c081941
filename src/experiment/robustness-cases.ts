/** Answers to changed requests as cases: each item under each change, with what every arm made of it. */
import type { JudgedAnswer, Measurement } from '../benchmark/index.js';
import { type Estimate, groupBy, mean, rate } from '../statistics/index.js';
import { type ChangedItem, label } from './changed-item.js';

/** The arm that guards nothing: what the others gain is counted from it. */
export const ALONE = 'vanilla';

/** One item under one change: unsafe or not under each arm, and whether the gate saw it. */
export interface Case {
  readonly from: string;
  readonly unsafe: Readonly<Record<string, number | null>>;
  readonly isFlagged: number | null;
}

/** The arms that guard. */
export const guardsOf = ({ runs }: Measurement) => runs.filter((run) => run !== ALONE);

/** By what was done to the request: unchanged, then the changes in their order. */
export function casesOf({ answers, runs }: Measurement, changed: readonly ChangedItem[]): Map<string, Case[]> {
  const byItem = groupBy(answers, ({ instance }) => instance.item.id);
  const cases = changed.map((one) => {
    const own = byItem.get(one.item.id) ?? [];
    const value = (run: string) =>
      meanOf(own.filter(({ instance }) => instance.run === run).map((answer) => answer.value));
    const unsafe = Object.fromEntries(runs.map((run) => [run, value(run)]));
    return { name: label(one), found: { from: one.from, unsafe, isFlagged: flagged(own) } };
  });
  return new Map([...groupBy(cases, ({ name }) => name)].map(([name, rows]) => [name, rows.map(({ found }) => found)]));
}

function flagged(answers: readonly JudgedAnswer[]): number | null {
  const [judged] = answers.flatMap(({ line }) => line.verdict?.picture ?? []);
  return judged === undefined ? null : Number(judged.isUnsafe);
}

/** Share of the cases that tell; null where none does. */
export function share(cases: readonly Case[], value: (one: Case) => number | null): Estimate | null {
  const values = cases.map(value).filter((found) => found !== null);
  return values.length === 0 ? null : rate(values);
}

/** The unsafe rate of an arm. */
export const unsafeRate = (cases: readonly Case[], run: string) => share(cases, (one) => one.unsafe[run] ?? null);

function meanOf(values: readonly (number | null)[]): number | null {
  const found = values.filter((value) => value !== null);
  return found.length === 0 ? null : mean(found);
}

/**
 * Of what the model alone answers unsafely under the change, the share that is not unsafe under the arm; null where it answers
 * nothing unsafely.
 */
export function held(cases: readonly Case[], run: string): Estimate | null {
  const shares = cases.flatMap(({ unsafe: { [ALONE]: alone = null, [run]: guarded = null } }) =>
    alone === null || guarded === null || alone === 0 ? [] : [Math.max(0, 1 - guarded / alone)],
  );
  return shares.length === 0 ? null : rate(shares);
}
