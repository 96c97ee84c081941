/** Text that comes in pieces, broken at spaces to fit the terminal. */
import { widthOf } from './width.js';

/** A word is held back until it has ended; all else of the text stays as it is. */
export class WordWrap {
  readonly #columns: number;
  #column = 0;
  #spaces = '';
  #word = '';

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** What can be written of the text so far. */
  add(text: string): string {
    let ready = '';
    for (const [piece] of text.matchAll(/\n|[^\S\n]+|\S+/g)) {
      if (/\S/.test(piece)) {
        this.#word += piece;
        continue;
      }
      ready += this.#endWord();
      if (piece === '\n') {
        ready += piece;
        this.#column = 0;
        this.#spaces = '';
      } else this.#spaces += piece;
    }
    return ready;
  }

  /** The last word. */
  end(): string {
    return this.#endWord();
  }

  #endWord(): string {
    if (this.#word === '') return '';
    const [spaces, word] = [this.#spaces, this.#word];
    [this.#spaces, this.#word] = ['', ''];
    const breaks = this.#column > 0 && this.#column + widthOf(spaces) + widthOf(word) > this.#columns;
    this.#column = (breaks ? 0 : this.#column + widthOf(spaces)) + widthOf(word);
    return breaks ? `\n${word}` : `${spaces}${word}`;
  }
}
