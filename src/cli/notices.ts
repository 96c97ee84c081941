/** What answers cannot say of themselves, told once a command: see `onNotice` of loadEta. */
import type { Notice } from '../index.js';
import { fitted } from '../terminal/fit.js';

export class Notices {
  /** How many there were. */
  count = 0;
  readonly #isOfOwnWorld: boolean;
  #first: Notice | null = null;
  #isTold = false;

  /** @param dataset what is asked; the miniature's own is of its world, requests without a picture too */
  constructor(dataset?: { readonly name: string }) {
    this.#isOfOwnWorld = dataset?.name === 'miniature';
  }

  /** For loadEta. */
  readonly add = (notice: Notice): void => {
    if (this.#isOfOwnWorld) return;
    this.count++;
    this.#first ??= notice;
  };

  /** Writes the first as one line, the first time that there is one. */
  tell(write: (line: string) => void = (line) => process.stderr.write(`${fitted(process.stderr, line)}\n`)): void {
    if (this.#first === null || this.#isTold) return;
    this.#isTold = true;
    write(`eta-vlm: ${this.#first.message}`);
  }
}
