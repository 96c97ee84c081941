import { StopTexts } from '../search/index.js';

const NO_STOPS = new StopTexts([]);

/** An answer begins without the white space that its first token may carry; every later piece keeps its own. */
export function beginning(text: string): string {
  return text.trimStart();
}

/**
 * The text of one answer on its way out: white space around it is dropped, a stop text ends it, and while it is held
 * nothing leaves. The pieces that left, joined, are the whole text.
 */
export class AnswerText {
  readonly #give: (text: string) => void;
  readonly #stops: StopTexts;
  /** What left, and what has not: both only grow at their ends, so that no piece makes V8 copy all before it. */
  #given = '';
  #held = '';
  /** As much of the end as a stop text may have begun in. */
  #edge = '';
  /** Of {@link #held}, without the white space at its end. */
  #solidCount = 0;
  #isOpen = false;
  #isStopped = false;
  #isWhole = false;

  /**
   * @param give gets each piece; nothing before {@link open}
   * @param stops what ends it
   * @param gone what has left of it before, of another's {@link openTo}
   */
  constructor(give: (text: string) => void, stops = NO_STOPS, gone = '') {
    this.#give = give;
    this.#stops = stops;
    this.#given = gone;
  }

  /** The text so far, without the white space around it. */
  get text(): string {
    return (this.#given + this.#held).trimEnd();
  }

  /** Whether no stop text has begun at its end: whatever comes, it stays the beginning of the answer. */
  get isSettled(): boolean {
    return this.#stops.openCount(this.text) === 0;
  }

  /** Whether a stop text came: it, and what comes behind it, is no part of the text. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  push(piece: string): void {
    if (this.#isStopped) return;
    const added = this.#given + this.#held === '' ? beginning(piece) : piece;
    const end = this.#edge + added;
    const at = this.#stops.find(end);
    const { length: solidCount } = added.trimEnd();
    if (solidCount > 0) this.#solidCount = this.#held.length + solidCount;
    this.#held += added;
    if (at >= 0) this.#stop(end.length - at);
    this.#edge = this.#stops.edge(end);
    if (this.#isOpen) this.#flush();
  }

  /** Nothing comes any more: what might have become a stop text is part of the answer. */
  end(): void {
    this.#isWhole = true;
    if (this.#isOpen) this.#flush();
  }

  /** Lets out what was held, and from now on what comes. */
  open(): void {
    this.#isOpen = true;
    this.#flush();
  }

  /** Lets out the text up to here, where it was {@link isSettled}, or is whole. */
  openTo(text: string): void {
    this.#out(text.length - this.#given.length);
  }

  #stop(cutCount: number): void {
    this.#isStopped = true;
    this.#held = this.#held.slice(0, this.#held.length - cutCount);
    this.#solidCount = this.#held.trimEnd().length;
  }

  /** White space at the end waits: it belongs to the answer only when something follows. So does what may end it. */
  #flush(): void {
    const openCount = this.#isStopped || this.#isWhole ? 0 : this.#stops.openCount(this.#edge);
    this.#out(Math.min(this.#solidCount, this.#held.length - openCount));
  }

  #out(count: number): void {
    const piece = count <= 0 ? '' : this.#held.slice(0, count).trimEnd();
    if (piece === '') return;
    this.#given += piece;
    this.#held = this.#held.slice(piece.length);
    this.#solidCount -= piece.length;
    this.#give(piece);
  }
}
