/**
 * What earlier requests left in the KV cache: sequences that nobody owns, found again by what they hold. Whoever begins
 * alike starts from a fork of one, and computes the rest alone. They take no room that a request wants: then the one that
 * was used longest ago goes first.
 *
 * Guards and reward models keep theirs otherwise (src/prefixes/lanes.ts): a session there holds a prefix without having
 * reserved room for it, and what was evicted under it is computed again, which nobody could ask of what nobody owns.
 */
import type { NativeContext, NativePart } from '../native/context-types.js';
import { LEAST_SHARED_TOKENS } from '../shared-tokens.js';
import type { Demand, Reservation } from './admission.js';
import {
  type Beginning,
  type Content,
  type ContentChain,
  cellsApart,
  cutChain,
  type Flat,
  flatOf,
  partsOf,
  sharedTokenCount,
  usableTokenCount,
} from './content-chain.js';
import type { Scheduler } from './scheduler.js';

/** A kept sequence. */
interface Kept extends Beginning {
  readonly id: number;
  readonly chain: ContentChain;
}

/** A sequence of somebody else, and how much of it a prompt begins with. */
export interface Found {
  /** The addon's number. */
  readonly id: number;
  readonly tokenCount: number;
  /** Whether all of it is used, its output too. */
  readonly isWhole: boolean;
  readonly content: Content;
}

export interface KeptPrefixesHome {
  readonly native: NativeContext;
  readonly scheduler: Scheduler;
  /** What the requests under way hold; their cells are theirs, kept or not. */
  held(): Iterable<Content>;
  /** What nobody has reserved. */
  spare(): Demand;
  /** A lane that nobody may reserve meanwhile; null where none is free. */
  takeLane(): Reservation | null;
}

export class KeptPrefixes {
  readonly #home: KeptPrefixesHome;
  /** The one used longest ago first. */
  readonly #kept: Kept[] = [];
  /** Raised when all are let go: what is on its way then is not kept either. */
  #epoch = 0;

  constructor(home: KeptPrefixesHome) {
    this.#home = home;
  }

  get count(): number {
    return this.#kept.length;
  }

  /** Cells that they alone hold. */
  get cellCount(): number {
    const chains = this.#kept.map(({ chain }) => chain);
    return cellsApart(chains, this.#home.held());
  }

  /** The longest beginning of the prompt that is kept; its sequence counts as used just now. */
  find(prompt: readonly NativePart[]): Found | null {
    if (this.#kept.length === 0) return null;
    const flat = flatOf(prompt);
    const { forksAnywhere } = this.#home.native.facts;
    let best: Kept | undefined;
    let most = LEAST_SHARED_TOKENS - 1;
    for (const kept of this.#kept) {
      const count = usableTokenCount(kept, flat, forksAnywhere);
      if (count > most) [best, most] = [kept, count];
    }
    if (best === undefined) return null;
    this.#use(best);
    const isWhole = most === best.tokenCount;
    return { id: best.id, tokenCount: most, isWhole, content: cutChain(best.chain, most) };
  }

  /**
   * Keeps a fork of the sequence, made at once, under what it holds in cells; pending input is not kept. What it makes
   * superfluous goes. Nothing happens where that is kept already, or is not known, or where no lane is free.
   *
   * @param sequence may go as soon as this was called
   * @param content of the sequence, pending input too
   */
  async keep(sequence: number, content: Content): Promise<void> {
    if (content === 'unknown' || content === null || content.tokenCount < LEAST_SHARED_TOKENS) return;
    const { native, scheduler, spare, takeLane } = this.#home;
    if (this.#isKept(flatOf(partsOf(content)), content.tokenCount)) return;
    if (spare().sequenceCount <= this.#kept.length) this.#drop(this.#kept.slice(0, 1));
    const lane = takeLane();
    if (lane === null) return;
    scheduler.interrupt();
    const epoch = this.#epoch;
    let forked: number | undefined;
    try {
      const [id] = (await native.fork(sequence, 1)) as unknown as [number];
      forked = id;
      const { tokenCount, pendingCount, hasOutput } = await native.sequence(id);
      const chain = cutChain(content, tokenCount); // unknown within a picture that was read in part
      if (chain === 'unknown' || chain === null || epoch !== this.#epoch) return;
      if (pendingCount > 0) await native.trim(id, tokenCount);
      if (epoch !== this.#epoch || this.#isKept(flatOf(partsOf(chain)), tokenCount)) return;
      this.#add(id, chain, hasOutput);
      forked = undefined;
    } finally {
      if (forked !== undefined) this.#release([forked]);
      lane.release();
    }
  }

  /**
   * Makes them fit into what nobody reserved; the one used longest ago goes first. At once: whatever the addon is asked
   * afterwards finds the room.
   *
   * @param found what a request is about to start from
   * @returns whether there is no room for that one beside its fork: it is no longer kept, and is the request's
   */
  shrink(found: Found | null = null): boolean {
    const { cellCount, sequenceCount } = this.#home.spare();
    for (;;) {
      const [oldest] = this.#kept;
      if (oldest === undefined || (this.#kept.length <= sequenceCount && this.cellCount <= cellCount)) return false;
      if (oldest.id === found?.id) {
        this.#kept.shift();
        return true;
      }
      this.#drop([oldest]);
    }
  }

  /** Lets all of them go. */
  clear(): void {
    this.#epoch++;
    this.#drop([...this.#kept]);
  }

  #add(id: number, chain: ContentChain, hasOutput: boolean): void {
    const kept = { id, chain, tokenCount: chain.tokenCount, flat: flatOf(partsOf(chain)), hasOutput };
    // One with its output is kept beside a longer one: whoever asks the same again has nothing to compute.
    const within = this.#kept.filter(
      (other) => !other.hasOutput && this.#serves(kept, other.tokenCount) && isWithin(other, kept.flat),
    );
    this.#kept.push(kept);
    this.#drop(within);
  }

  /** Whether a kept one serves whoever begins with this; then it counts as used just now. */
  #isKept(flat: Flat, tokenCount: number): boolean {
    const longer = this.#kept.find(
      (kept) => sharedTokenCount(kept.flat, flat) === tokenCount && this.#serves(kept, tokenCount),
    );
    if (longer !== undefined) this.#use(longer);
    return longer !== undefined;
  }

  /** Whether a fork can be cut to so many tokens. */
  #serves(kept: Kept, tokenCount: number): boolean {
    return tokenCount === kept.tokenCount || this.#home.native.facts.forksAnywhere;
  }

  #use(kept: Kept): void {
    this.#kept.splice(this.#kept.indexOf(kept), 1);
    this.#kept.push(kept);
  }

  #drop(dropped: readonly Kept[]): void {
    if (dropped.length === 0) return;
    for (const kept of dropped) this.#kept.splice(this.#kept.indexOf(kept), 1);
    this.#release(dropped.map(({ id }) => id));
  }

  #release(ids: readonly number[]): void {
    const { native, scheduler } = this.#home;
    scheduler.interrupt();
    // The context may be gone already, and they with it.
    native.release(ids).catch(() => undefined);
  }
}

/** Whether all that is kept there is the beginning of this. */
function isWithin({ flat, tokenCount }: Kept, other: Flat): boolean {
  return sharedTokenCount(flat, other) === tokenCount;
}
