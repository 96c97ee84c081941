/** An answer begins without the white space that its first token may carry; every later piece keeps its own. */
export function beginning(text: string): string {
  return text.trimStart();
}

/**
 * The text of one answer on its way out: white space around it is dropped, and while it is held nothing leaves. The
 * pieces that left, joined, are the whole text.
 */
export class AnswerText {
  readonly #give: (text: string) => void;
  #pending = '';
  #whole = '';
  #isOpen = false;

  /** @param give gets each piece; nothing before {@link open} */
  constructor(give: (text: string) => void) {
    this.#give = give;
  }

  /** The text so far, without the white space around it. */
  get text(): string {
    return (this.#whole + this.#pending).trim();
  }

  push(piece: string): void {
    this.#pending += piece;
    if (this.#isOpen && piece.trim() !== '') this.#flush();
  }

  /** Lets out what was held, and from now on what comes. */
  open(): void {
    this.#isOpen = true;
    this.#flush();
  }

  /** White space at the end waits: it belongs to the answer only when something follows. */
  #flush(): void {
    const body = this.#pending.trimEnd();
    const piece = this.#whole === '' ? beginning(body) : body;
    if (piece === '') return;
    this.#pending = this.#pending.slice(body.length);
    this.#whole += piece;
    this.#give(piece);
  }
}
