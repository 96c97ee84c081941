/** What a results file holds: which requests have an answer, and how the answers turned out. */
import type { AnswerLine } from './answer-line.js';
import { KeyTable } from './key-table.js';
import { Numbers } from './numbers.js';
import { Tally } from './tally.js';

/** What is known of a request that stands in the file. */
export interface KnownAnswer {
  /** What tells the request from another under the same id. */
  readonly digest: string;
  /** Whether there is an error in place of an answer. */
  readonly isError: boolean;
}

/** What tells a refused request that has no id from others. */
export function refusalKey(line: number, digest: string): string {
  return `${line} ${digest}`;
}

/** What `digestOf` makes; another digest is a caller's own. */
const DIGEST = /^[0-9a-f]{16}$/;

/** Nothing of a line is kept but numbers: files have millions of lines. */
export class KnownAnswers {
  readonly tally = new Tally();
  /** {@link refusalKey} of each line whose request had no id. */
  readonly refused = new Set<string>();
  readonly #ids = new KeyTable();
  /** The halves of each digest. */
  readonly #high = new Numbers(Uint32Array);
  readonly #low = new Numbers(Uint32Array);
  readonly #errors = new Numbers(Uint8Array);
  /** Digests of callers, by their places. */
  readonly #own = new Map<number, string>();

  find(id: string): KnownAnswer | undefined {
    const place = this.#ids.find(id);
    return place < 0 ? undefined : { digest: this.#digestAt(place), isError: this.#errors.at(place) === 1 };
  }

  add({ id, line, digest, error, verdict, stopReason }: AnswerLine): void {
    if (id === null) this.refused.add(refusalKey(line, digest));
    else this.#put(id, digest, error !== null);
    this.tally.add({ error, verdict, stopReason });
  }

  #put(id: string, digest: string, isError: boolean): void {
    const place = this.#ids.add(id);
    if (place === this.#errors.length) for (const column of [this.#high, this.#low, this.#errors]) column.push(0);
    this.#errors.set(place, isError ? 1 : 0);
    this.#own.delete(place);
    if (DIGEST.test(digest)) {
      this.#high.set(place, Number.parseInt(digest.slice(0, 8), 16));
      this.#low.set(place, Number.parseInt(digest.slice(8), 16));
    } else this.#own.set(place, digest);
  }

  #digestAt(place: number): string {
    const half = (column: Numbers) => column.at(place).toString(16).padStart(8, '0');
    return this.#own.get(place) ?? `${half(this.#high)}${half(this.#low)}`;
  }
}
