/** Two sides measured in turn, and the rows that come of it. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { median } from '../engine-model.js';

/** One figure of a scenario. */
export interface Row {
  readonly what: string;
  /** As it is printed. */
  readonly figure: string;
  /** What it is held against, as it is printed; "" for a figure that stands beside the others. */
  readonly goal: string;
  /** Null without a goal. */
  readonly isMet: boolean | null;
  /** What the figure was made of. */
  readonly detail: string;
}

/** What a scenario's process tells the one that started it. */
export interface Report {
  readonly configuration: string;
  readonly rows: readonly Row[];
}

/** Runs every way once for warmth and then `repeat` times in turn, so that other work hits all alike. */
export async function inTurn<Name extends string, Found>(
  ways: Readonly<Record<Name, (turn: number) => Promise<Found>>>,
  repeat: number,
): Promise<Record<Name, Found[]>> {
  const names = Object.keys(ways) as Name[];
  const found = Object.fromEntries(names.map((name) => [name, [] as Found[]])) as Record<Name, Found[]>;
  for (let turn = 0; turn <= repeat; turn++) {
    for (const name of names) {
      const result = await ways[name](turn);
      if (turn > 0) found[name].push(result);
    }
  }
  return found;
}

interface Sides {
  readonly what: string;
  /** Times: whatever grows with the effort. */
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  /** Who the others are. */
  readonly against: string;
  /** Digits behind the point of the times. @default 0 */
  readonly digits?: number | undefined;
}

/** Ours : theirs, the median of the ratios of one turn each; it must not be above `atMost`, where that is given. */
export function ratioRow({ atMost, ...sides }: Sides & { readonly atMost?: number | undefined }): Row {
  const ratio = median(sides.ours.map((one, turn) => one / (sides.theirs[turn] ?? Number.NaN)));
  return {
    ...told(sides),
    figure: ratio.toFixed(ratio < 0.2 ? 3 : 2),
    goal: atMost === undefined ? '' : `<= ${atMost}`,
    isMet: atMost === undefined ? null : ratio <= atMost,
  };
}

/** How many times as fast as theirs, the median likewise; it must not be below `atLeast`, where that is given. */
export function fasterRow({ atLeast, ...sides }: Sides & { readonly atLeast?: number | undefined }): Row {
  const ratio = median(sides.theirs.map((one, turn) => one / (sides.ours[turn] ?? Number.NaN)));
  return {
    ...told(sides),
    figure: `${ratio.toFixed(2)} x`,
    goal: atLeast === undefined ? '' : `>= ${atLeast} x`,
    isMet: atLeast === undefined ? null : ratio >= atLeast,
  };
}

function told({ what, ours, theirs, against, digits = 0 }: Sides): Pick<Row, 'what' | 'detail'> {
  const middle = (times: readonly number[]) => median(times).toFixed(digits);
  return { what: `${what}, against ${against}`, detail: `${middle(ours)} : ${middle(theirs)} ms` };
}

/** Prints the rows and hands them to whoever started this process. A goal that is missed makes its exit code 1. */
export function report(configuration: string, rows: readonly Row[]): void {
  console.log(`${configuration}; ${machine()}`);
  for (const { what, figure, goal, isMet, detail } of rows) {
    const verdict = isMet === null ? '' : ` (${goal}: ${isMet ? 'met' : 'not met'})`;
    console.log(`${what}: ${figure}${verdict}; ${detail}`);
  }
  if (rows.some(({ isMet }) => isMet === false)) process.exitCode = 1;
  process.send?.({ configuration, rows } satisfies Report);
}

export const load = (): string => (loadavg()[0] ?? 0).toFixed(1);

export function machine(): string {
  return `${cpus()[0]?.model.trim()}, ${availableParallelism()} processors, Node ${process.version}, load ${load()}`;
}
