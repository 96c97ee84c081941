/** What is kept in a context: which lane holds which tokens, where others can begin in it, and what gives way first. */
import type { Output, Sequence } from '../engine/index.js';
import { sharedLength } from './tree.js';

export interface KeptLane<Kept extends Output> {
  readonly lane: Sequence<Kept>;
  readonly ids: readonly number[];
  /** Whether many begin with it, so that it goes last. */
  readonly isCommon: boolean;
  /** Whether nobody holds it any more, so that it goes first. @default false */
  readonly isLeft?: boolean;
}

/** Where a new lane begins: in a kept one, behind its first `length` tokens. */
export interface Parent<Kept extends Output> extends KeptLane<Kept> {
  readonly cache: number;
  readonly length: number;
}

export class Shelf<Kept extends Output> {
  /** By cache number, the least recently used first. */
  readonly #kept = new Map<number, KeptLane<Kept>>();
  #lastCache = 0;

  put(kept: KeptLane<Kept>): number {
    this.#lastCache += 1;
    this.#kept.set(this.#lastCache, kept);
    return this.#lastCache;
  }

  has(cache: number): boolean {
    return this.#kept.has(cache);
  }

  /** The lane is the caller's from then on. */
  take(cache: number): Sequence<Kept> | undefined {
    const kept = this.#kept.get(cache);
    this.#kept.delete(cache);
    return kept?.lane;
  }

  /**
   * Nobody holds it any more; it stays for whoever begins alike.
   *
   * @returns lanes that are superfluous now, the caller's to release: those of its beginnings, or itself
   */
  leave(cache: number): Sequence<Kept>[] {
    const kept = this.#kept.get(cache);
    if (kept === undefined) return [];
    this.#kept.delete(cache);
    const left = [...this.#kept].filter(([, other]) => other.isLeft === true);
    if (left.some(([, { ids }]) => sharedLength(ids, kept.ids) === kept.ids.length)) return [kept.lane];
    this.#kept.set(cache, { ...kept, isLeft: true });
    return left
      .filter(([, { ids }]) => sharedLength(ids, kept.ids) === ids.length)
      .flatMap(([number]) => this.#take(number));
  }

  /** All that nobody holds; the lanes are the caller's from then on. */
  takeLeft(): Sequence<Kept>[] {
    return [...this.#kept].flatMap(([cache, { isLeft }]) => (isLeft === true ? this.#take(cache) : []));
  }

  /** The kept lane of that number, else the one that begins like these tokens for longest. It counts as used. */
  parentOf(cache: number | null, ids: readonly number[]): Parent<Kept> | null {
    let best: Omit<Parent<Kept>, 'length'> | null = null;
    let longest = 0;
    for (const [number, kept] of this.#kept) {
      const length = sharedLength(kept.ids, ids);
      if (length < longest || length === 0 || (length === longest && number !== cache)) continue;
      best = { ...kept, cache: number };
      longest = length;
    }
    if (best === null) return null;
    const { cache: number, ...kept } = best;
    this.#kept.delete(number);
    this.#kept.set(number, kept);
    return { ...best, length: longest };
  }

  /**
   * The number of what gives way next: what nobody holds, the least recently used first; then what somebody holds; then
   * the parent; last what many begin with. Null where nothing is kept any more.
   */
  leastNeeded(parent: number | undefined): number | null {
    const others = [...this.#kept].filter(([cache]) => cache !== parent);
    const rare = others.find(([, { isLeft }]) => isLeft === true) ?? others.find(([, { isCommon }]) => !isCommon);
    if (rare !== undefined) return rare[0];
    const own = parent === undefined ? undefined : this.#kept.get(parent);
    const first = own?.isCommon === false ? parent : (others[0]?.[0] ?? (own && parent));
    return first ?? null;
  }

  #take(cache: number): Sequence<Kept>[] {
    const lane = this.take(cache);
    return lane === undefined ? [] : [lane];
  }
}
