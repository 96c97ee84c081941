/** Lines of files by their places, in numbers: of a million lines some tens of MB. */
import { Turns } from '../turns.js';
import { Numbers } from './numbers.js';
import type { LineSource } from './results-lines.js';

/** Of a rank, what one pass of sorting looks at. */
const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

export class LineList {
  readonly #paths: string[] = [];
  readonly #files = new Numbers(Uint32Array);
  readonly #offsets = new Numbers(Float64Array);
  readonly #byteCounts = new Numbers(Uint32Array);
  readonly #ranks = new Numbers(Float64Array);
  #highestRank = 0;
  #isSorted = true;
  /** Places in their order; undefined for the order in which they came. */
  #order: Uint32Array | undefined;

  get length(): number {
    return this.#ranks.length;
  }

  /** @param rank what lines are ordered by, a whole number >= 0 */
  add({ path, offset, byteCount }: LineSource, rank: number): void {
    if (this.#paths.at(-1) !== path) this.#paths.push(path);
    this.#isSorted &&= this.length === 0 || rank >= this.#ranks.at(this.length - 1);
    this.#highestRank = Math.max(this.#highestRank, rank);
    this.#files.push(this.#paths.length - 1);
    this.#offsets.push(offset);
    this.#byteCounts.push(byteCount);
    this.#ranks.push(rank);
  }

  /**
   * Puts the lines into the order of their ranks; those of one rank stay as they are. Digit by digit, so that the event loop
   * has its turn between lines.
   *
   * @returns whether that changed anything
   */
  async sort(signal?: AbortSignal): Promise<boolean> {
    if (this.#isSorted) return false;
    const turns = new Turns(signal);
    let order = new Uint32Array(this.length);
    for (let place = 0; place < order.length; place++) {
      if (turns.isDue) await turns.give();
      order[place] = place;
    }
    for (let unit = 1; unit <= this.#highestRank; unit *= DIGITS) {
      const digitOf = (place: number) => Math.floor(this.#ranks.at(place) / unit) % DIGITS;
      const starts = new Uint32Array(DIGITS + 1);
      for (const place of order) {
        if (turns.isDue) await turns.give();
        const next = digitOf(place) + 1;
        starts[next] = (starts[next] ?? 0) + 1;
      }
      for (let digit = 1; digit <= DIGITS; digit++) starts[digit] = (starts[digit] ?? 0) + (starts[digit - 1] ?? 0);
      const sorted = new Uint32Array(this.length);
      for (const place of order) {
        if (turns.isDue) await turns.give();
        const digit = digitOf(place);
        const at = starts[digit] ?? 0;
        sorted[at] = place;
        starts[digit] = at + 1;
      }
      order = sorted;
    }
    this.#order = order;
    return true;
  }

  /** The lines in their order, each made when it is asked for. */
  *sources(): Generator<LineSource, void> {
    for (let at = 0; at < this.length; at++) {
      const place = this.#order?.[at] ?? at;
      yield {
        path: this.#paths[this.#files.at(place)] ?? '',
        offset: this.#offsets.at(place),
        byteCount: this.#byteCounts.at(place),
      };
    }
  }
}
