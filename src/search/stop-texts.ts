/** Texts at which an answer ends, looked for while it grows: how it comes in pieces makes no difference. */
export class StopTexts {
  readonly #texts: readonly string[];
  readonly #longest: number;

  /** @param texts none is empty */
  constructor(texts: string | readonly string[]) {
    this.#texts = typeof texts === 'string' ? [texts] : [...texts];
    this.#longest = Math.max(0, ...this.#texts.map(({ length }) => length));
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#texts.length === 0;
  }

  /** The end of a text that holds none in which one may have begun. */
  edge(text: string): string {
    return text.slice(text.length - Math.min(text.length, Math.max(0, this.#longest - 1)));
  }

  /**
   * Where the one begins that is complete first, of several that are complete at once the longest; -1 where there is none.
   *
   * @param from none that begins before it counts
   */
  find(text: string, from = 0): number {
    let best = -1;
    let bestEnd = Number.POSITIVE_INFINITY;
    for (const stop of this.#texts) {
      const at = text.indexOf(stop, from);
      const end = at + stop.length;
      if (at < 0 || end > bestEnd || (end === bestEnd && at > best)) continue;
      best = at;
      bestEnd = end;
    }
    return best;
  }

  /** How many characters at the end may yet become one: as many as its beginning has in common with them. */
  openCount(text: string): number {
    for (let count = Math.min(text.length, this.#longest - 1); count > 0; count--) {
      const tail = text.slice(-count);
      if (this.#texts.some((stop) => stop.length > count && stop.startsWith(tail))) return count;
    }
    return 0;
  }
}
