/** One line on stderr that says what is going on; nothing where stderr is no terminal. */

export class Progress {
  readonly #isShown: boolean;
  #length = 0;

  constructor(stream: { readonly isTTY?: boolean } = process.stderr) {
    this.#isShown = stream.isTTY === true && process.env['TERM'] !== 'dumb';
  }

  show(text: string): void {
    if (!this.#isShown) return;
    process.stderr.write(`\r${text.padEnd(this.#length)}`);
    this.#length = text.length;
  }

  /** Takes the line away. */
  clear(): void {
    if (!this.#isShown || this.#length === 0) return;
    process.stderr.write(`\r${' '.repeat(this.#length)}\r`);
    this.#length = 0;
  }
}
