/** Lines of files by their places, in numbers: of a million lines some tens of MB. */
import { Numbers } from './numbers.js';
import type { LineSource } from './results-lines.js';

export class LineList {
  readonly #paths: string[] = [];
  readonly #files = new Numbers(Uint32Array);
  readonly #offsets = new Numbers(Float64Array);
  readonly #byteCounts = new Numbers(Uint32Array);
  readonly #ranks = new Numbers(Float64Array);
  /** Places in their order; undefined for the order in which they came. */
  #order: Uint32Array | undefined;

  get length(): number {
    return this.#ranks.length;
  }

  /** @param rank what lines are ordered by */
  add({ path, offset, byteCount }: LineSource, rank: number): void {
    if (this.#paths.at(-1) !== path) this.#paths.push(path);
    this.#files.push(this.#paths.length - 1);
    this.#offsets.push(offset);
    this.#byteCounts.push(byteCount);
    this.#ranks.push(rank);
  }

  /** Puts the lines into the order of their ranks; those of one rank stay as they are. Whether that changed anything. */
  sort(): boolean {
    for (let at = 1; at < this.length; at++)
      if (this.#ranks.at(at) < this.#ranks.at(at - 1)) {
        this.#order = Uint32Array.from({ length: this.length }, (_, index) => index).sort(
          (a, b) => this.#ranks.at(a) - this.#ranks.at(b) || a - b,
        );
        return true;
      }
    return false;
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
