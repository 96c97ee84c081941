/** One line on stderr that says what is going on; nothing where stderr is no terminal. */
import { visibleName } from '../visible.js';
import type { Output } from './output.js';
import { allColumnsOf } from './paint.js';
import { cutAt, padded, widthOf } from './width.js';

export class Progress {
  readonly #output: Output;
  readonly #isShown: boolean;
  #width = 0;

  constructor(output: Output = process.stderr) {
    this.#output = output;
    this.#isShown = output.isTTY === true && process.env['TERM'] !== 'dumb';
  }

  /** Columns that a text may have: a line that breaks could not be written over. */
  get columns(): number {
    return allColumnsOf(this.#output) - 1;
  }

  /** In place of what was shown before; what does not fit is cut. */
  show(text: string): void {
    if (!this.#isShown) return;
    const line = visibleName(text);
    const shown = widthOf(line) <= this.columns ? line : `${cutAt(line, this.columns - 1)[0]}…`;
    this.#output.write(`\r${padded(shown, Math.min(this.#width, this.columns))}`);
    this.#width = widthOf(shown);
  }

  /** Takes the line away. */
  clear(): void {
    if (!this.#isShown || this.#width === 0) return;
    this.#output.write(`\r${' '.repeat(Math.min(this.#width, this.columns))}\r`);
    this.#width = 0;
  }
}
