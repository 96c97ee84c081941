/** Lines that are broken to fit the terminal. What goes elsewhere stays as it is, so that programs can read it. */
import { columnsOf, wrap } from './paint.js';
import { cutAt, widthOf } from './width.js';

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Columns that what hangs below a label should have. */
const LEAST_ROOM = 20;

/**
 * A line, broken at spaces. What follows stands below its last column that leaves room, else below the line's own indent.
 *
 * @param hang where what follows stands
 */
export function fitLine(line: string, columns: number, hang = hangOf(line, columns)): string[] {
  if (widthOf(line) <= columns) return [line];
  const [start, rest] = cutAt(line, hang);
  const [first = '', ...others] = wrap(rest, columns - hang);
  return [`${start}${first}`.trimEnd(), ...others.map((other) => `${' '.repeat(hang)}${other}`)];
}

/** Every line of a text. */
export function fitText(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => fitLine(line, columns))
    .join('\n');
}

/** A text as a stream shows it: fitted where that is a terminal. */
export function fitted(stream: Output, text: string): string {
  return fitText(text, columnsOf(stream));
}

/** Columns are two spaces or more apart. */
function hangOf(line: string, columns: number): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const plain = line.replace(/\x1b\[[\d;]*m/g, '');
  const indent = plain.length - plain.trimStart().length;
  const [head] = cutAt(plain, Math.max(0, columns)); // what stands beyond is not measured
  const starts = [...head.matchAll(/(?<=\S {2,})\S/g)].map(({ index }) => widthOf(head.slice(0, index)));
  const last = starts.filter((start) => columns - start >= LEAST_ROOM).at(-1);
  return last ?? Math.max(0, Math.min(indent, columns - LEAST_ROOM));
}
