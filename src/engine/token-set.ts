/** Tokens at which a decode pauses, known to the addon by a number. Belongs to one context. */
export class TokenSet {
  readonly #tokens: ReadonlySet<number>;
  readonly #owner: object;
  /** The addon's id; -1 for the empty set, which never pauses. */
  readonly id: number;

  /** Not for callers: {@link Context.createTokenSet} makes sets. */
  constructor(owner: object, id: number, tokens: Iterable<number>) {
    this.#owner = owner;
    this.id = id;
    this.#tokens = new Set(tokens);
  }

  /** How many tokens it holds. */
  get size(): number {
    return this.#tokens.size;
  }

  /** Not for callers: whether the addon's context of this number made it. */
  belongsTo(owner: object): boolean {
    return this.#owner === owner;
  }

  /** Whether a decode may pause at this token. */
  has(token: number): boolean {
    return this.#tokens.has(token);
  }
}
