/** Numbers in plain arrays, which grow by pieces: nothing is copied, and nothing larger than a piece is free of use. */

type Kind = typeof Float64Array | typeof Uint32Array | typeof Uint8Array;

const PIECE_LENGTH = 2 ** 16;

export class Numbers {
  readonly #kind: Kind;
  readonly #pieces: (Float64Array | Uint32Array | Uint8Array)[] = [];
  #length = 0;

  /** @param kind Float64Array for whole numbers beyond 2^32 */
  constructor(kind: Kind) {
    this.#kind = kind;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length % PIECE_LENGTH === 0) this.#pieces.push(new this.#kind(PIECE_LENGTH));
    this.#length++;
    this.set(this.#length - 1, value);
  }

  /** @param place of a number that was pushed */
  set(place: number, value: number): void {
    const piece = this.#pieces[Math.floor(place / PIECE_LENGTH)];
    if (piece !== undefined) piece[place % PIECE_LENGTH] = value;
  }

  /** 0 for a place where nothing was pushed. */
  at(place: number): number {
    return this.#pieces[Math.floor(place / PIECE_LENGTH)]?.[place % PIECE_LENGTH] ?? 0;
  }
}
