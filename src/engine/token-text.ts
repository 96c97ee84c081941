/** Tokens to text, in whole characters: a character that spans tokens appears with its last byte. */
import type { NativeModel } from '../native/binding-types.js';

export class TokenText {
  readonly #model: NativeModel;
  readonly #decoder = new TextDecoder('utf-8');

  constructor(model: NativeModel) {
    this.#model = model;
  }

  /** Text that these tokens complete; "" while a character is unfinished. Control tokens give no text. */
  push(tokens: Iterable<number>): string {
    let text = '';
    for (const token of tokens) {
      text += this.#decoder.decode(this.#model.tokenBytes(token, false), { stream: true });
    }
    return text;
  }

  /** What is left of an unfinished character: U+FFFD, or "". The next push starts afresh. */
  flush(): string {
    return this.#decoder.decode();
  }
}

/** The text of a finished run of tokens. */
export function textOf(model: NativeModel, tokens: Iterable<number>): string {
  const reader = new TokenText(model);
  return reader.push(tokens) + reader.flush();
}
