/** Text that comes in pieces, broken at spaces to fit the terminal. */
import { widthOf } from './width.js';

/**
 * A word is held back until it has ended, or is as long as a line; all else of the text stays as it is. Letters of full
 * width, which are written without spaces, are words of their own.
 */
export class WordWrap {
  /** Of a line; may change while the text comes. */
  columns: number;
  #column = 0;
  #spaces = '';
  #word = '';

  constructor(columns: number) {
    this.columns = columns;
  }

  /** What can be written of the text so far. */
  add(text: string): string {
    let ready = '';
    for (const [piece] of text.matchAll(/\n|[^\S\n]+|\S+/g)) {
      if (/\S/.test(piece)) {
        ready += this.#addLetters(piece);
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

  /** Letter by letter: what comes of it for now. */
  #addLetters(letters: string): string {
    let ready = '';
    for (const letter of letters) {
      const isWide = widthOf(letter) === 2;
      if (isWide) ready += this.#endWord();
      this.#word += letter;
      if (isWide || this.#word.length >= this.columns) ready += this.#endWord();
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
    const canBreak = this.#column > 0 && (spaces !== '' || widthOf(word) === 2);
    const breaks = canBreak && this.#column + widthOf(spaces) + widthOf(word) > this.columns;
    // The terminal itself goes on in the next line where nothing could be broken.
    const column = (breaks ? 0 : this.#column + widthOf(spaces)) + widthOf(word);
    this.#column = column > this.columns ? column % this.columns : column;
    return breaks ? `\n${word}` : `${spaces}${word}`;
  }
}
