/**
 * Lines for people: what a terminal would obey is written out, but for colours of our own. All that a command writes leaves
 * here or by print.ts, but for the progress line and the last word of an interrupt (test/cli/words.test.ts).
 */
import { fitText } from './fit.js';
import { columnsOf, forTerminal } from './paint.js';

/** Where lines go that are no data; of a terminal with its width. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A text to a stream, without a newline of its own. */
export function write(output: Pick<Output, 'write'>, text: string): void {
  output.write(forTerminal(text));
}

/** Lines that are broken to fit the terminal. @param output by default stderr */
export function tell(text: string, output: Output = process.stderr): void {
  write(output, `${fitText(text, columnsOf(output))}\n`);
}

/** How an editor of lines moves the cursor and clears what it draws again. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin such movements
const MOVEMENT = /(\x1b\[\d*[A-GJK]|[\r\x07])/;

/** What an editor of lines draws: its own movements, and what was typed. */
export function writeEdited(output: Pick<Output, 'write'>, text: string): void {
  const pieces = text.replaceAll('\r\n', '\n').split(MOVEMENT);
  output.write(pieces.map((piece, at) => (at % 2 === 0 ? forTerminal(piece) : piece)).join(''));
}
