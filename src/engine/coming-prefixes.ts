/**
 * Prompts that requests are reading just now. Who begins alike does not read the same beside them, but waits until one of
 * them has read what both begin with, and starts from a fork of it. Nobody waits for what is further behind than he would
 * be himself, nor for a request that came later: so whoever waits is waited for by others at most.
 */
import { onAbort } from '../abort.js';
import { AbortError } from '../errors.js';
import type { NativePart } from '../native/context-types.js';
import { LEAST_SHARED_TOKENS } from '../shared-tokens.js';
import {
  type Content,
  cutChain,
  type Flat,
  flatOf,
  partsOf,
  sharedTokenCount,
  tokenCountOf,
  usableTokenCount,
  wholeTokenCount,
} from './content-chain.js';
import type { Found } from './kept-prefixes.js';

/** The sequence that reads a prompt. */
export interface Reader {
  /** The addon's number. */
  readonly id: number;
  readonly chain: Content;
  readonly isReleased: boolean;
}

interface Waiter {
  readonly flat: Flat;
  /** That it waits for. */
  readonly tokenCount: number;
  /** Told at once, before anybody else can ask the addon for something; null: there is nothing to start from. */
  readonly settle: (found: Found | null) => void;
}

/** One of them, from the moment it may begin until it is read, or nobody reads it any more. */
export class ComingPrefix {
  readonly flat: Flat;
  readonly tokenCount: number;
  readonly #forksAnywhere: boolean;
  readonly #onEnd: (coming: ComingPrefix) => void;
  readonly #waiters = new Set<Waiter>();
  #reader: Reader | undefined;
  #readCount = 0;
  #isReading = false;

  /** Not for callers: {@link ComingPrefixes.add} makes them. */
  constructor(prompt: readonly NativePart[], forksAnywhere: boolean, onEnd: (coming: ComingPrefix) => void) {
    this.flat = flatOf(prompt);
    this.tokenCount = tokenCountOf(this.flat);
    this.#forksAnywhere = forksAnywhere;
    this.#onEnd = onEnd;
  }

  /** Tokens of it that are cells. */
  get readCount(): number {
    return this.#readCount;
  }

  /** It starts from so many tokens that somebody else has read. */
  startsFrom(tokenCount: number): void {
    this.#readCount = tokenCount;
  }

  /** This sequence will read it. Where it does not begin to in the same turn of the event loop, nobody waits for it. */
  expect(reader: Reader): void {
    this.#reader = reader;
    this.read(this.#readCount);
    if (this.#readCount === this.tokenCount) this.end();
    else setImmediate(() => this.#isReading || this.end());
  }

  /** Its sequence has begun to read. */
  begin(): void {
    this.#isReading = true;
  }

  /** Its sequence has so many tokens in cells. */
  read(tokenCount: number): void {
    this.#readCount = tokenCount;
    for (const waiter of this.#waiters) if (waiter.tokenCount <= tokenCount) this.#settle(waiter, waiter.tokenCount);
  }

  /** Nobody reads it any more, or it is read: those who still wait have what there is. Idempotent. */
  end(): void {
    this.#onEnd(this);
    for (const waiter of this.#waiters)
      this.#settle(waiter, wholeTokenCount(waiter.flat, Math.min(waiter.tokenCount, this.#readCount)));
    this.#reader = undefined;
  }

  /**
   * Waits until so many tokens are read, or nobody reads any more.
   *
   * @param start called at once with what there is then
   * @returns null where there is nothing
   * @throws AbortError
   */
  async wait<Value>(
    { flat, tokenCount }: { readonly flat: Flat; readonly tokenCount: number },
    start: (found: Found) => Promise<Value>,
    signal: AbortSignal | undefined,
  ): Promise<Value | null> {
    return await new Promise((resolve, reject) => {
      const settle = (found: Found | null) => {
        takeBack();
        resolve(found === null ? null : start(found));
      };
      const waiter = { flat, tokenCount, settle };
      this.#waiters.add(waiter);
      const takeBack = onAbort(signal, () => {
        this.#waiters.delete(waiter);
        reject(new AbortError(signal));
      });
      if (this.#reader !== undefined && !signal?.aborted) this.read(this.#readCount);
    });
  }

  /**
   * Where there is nothing to start from, as when its sequence was released and its last step is still under way, nobody
   * is to find it again: who asks again at once would ask forever, and its end would never have its turn.
   */
  #settle(waiter: Waiter, tokenCount: number): void {
    this.#waiters.delete(waiter);
    const found = this.#found(waiter.flat, tokenCount);
    if (found === null) this.end();
    waiter.settle(found);
  }

  #found(flat: Flat, tokenCount: number): Found | null {
    const reader = this.#reader;
    if (reader === undefined || reader.isReleased || tokenCount < LEAST_SHARED_TOKENS) return null;
    const isWhole = tokenCount === this.tokenCount && this.#readCount === this.tokenCount;
    if (!isWhole && !this.#forksAnywhere) return null;
    // It may have read on, and what is cut has no output: then the last token is left to compute.
    const usable = isWhole || tokenCount < tokenCountOf(flat) ? tokenCount : wholeTokenCount(flat, tokenCount - 1);
    const content = cutChain(reader.chain, usable);
    if (content === 'unknown' || content === null) return null;
    // It may read something else than it said.
    const isAlike = sharedTokenCount(flatOf(partsOf(content)), flat) === usable;
    return isAlike ? { id: reader.id, tokenCount: usable, isWhole, content } : null;
  }
}

export class ComingPrefixes {
  readonly #forksAnywhere: boolean;
  /** In the order in which they may begin. */
  readonly #coming = new Set<ComingPrefix>();

  /** @param forksAnywhere whether a fork can be cut to any number of tokens */
  constructor(forksAnywhere: boolean) {
    this.#forksAnywhere = forksAnywhere;
  }

  add(prompt: readonly NativePart[]): ComingPrefix {
    const coming = new ComingPrefix(prompt, this.#forksAnywhere, (ended) => this.#coming.delete(ended));
    this.#coming.add(coming);
    return coming;
  }

  /**
   * The one to wait for, of those that came before, and how many tokens to wait for.
   *
   * @param keptCount tokens of the prompt that are there already
   */
  find(own: ComingPrefix, keptCount: number): { readonly coming: ComingPrefix; readonly tokenCount: number } | null {
    let best: ComingPrefix | null = null;
    let most = keptCount + LEAST_SHARED_TOKENS - 1;
    for (const coming of this.#coming) {
      if (coming === own) break;
      if (coming.readCount < keptCount) continue;
      const { flat, tokenCount } = coming;
      const count = usableTokenCount({ flat, tokenCount, hasOutput: true }, own.flat, this.#forksAnywhere);
      if (count > most) [best, most] = [coming, count];
    }
    return best && { coming: best, tokenCount: most };
  }
}
