/**
 * Kept prefixes in a context of llama.cpp that nobody else uses: a kept prefix is a sequence, a longer one its fork, the
 * branches are forks of that, decoded in one batch. What finds no room is evicted, and computed again when it is needed.
 *
 * Not as the engine's kept prefixes: those take what requests, which reserve all that they can need, have left over, and
 * whoever is evicted there is nobody. Here somebody still holds most of what is kept, by a number, and goes on from it though
 * it had to give way; so there is one lease of the whole context, and an order in which holders give way to each other.
 */
import type { Context, Lease, NativeImage, NativePart, Output, Sequence } from '../engine/index.js';
import { EngineError } from '../errors.js';
import { allEnded } from '../side-by-side.js';
import type { BranchRun, KeptTokens, RunOptions } from './backend.js';
import { PictureIds } from './picture-ids.js';
import { Queue } from './queue.js';
import { type KeptLane, type Parent, Shelf } from './shelf.js';

/** Branch tokens of one group. */
export const LANE_GROUP_TOKENS = 512;

export interface LanesOptions<Kept extends Output, Row> {
  /** One that nobody else uses. */
  readonly context: Context<Kept>;
  /** What messages call it, such as "the guard's context". */
  readonly name: string;
  /** What is wanted of the last token of each lane. */
  read(lanes: readonly Sequence<Kept>[], signal: AbortSignal | undefined): Promise<readonly Row[]>;
}

type Count = (tokens: number) => void;

/** What is to come in a lane and its forks, the lane itself included. */
interface Room {
  readonly lanes: number;
  readonly cells: number;
}

/** Made by {@link open}. One piece of work at a time: what comes at once waits its turn. */
export class KeptLanes<Kept extends Output, Row> {
  readonly #options: LanesOptions<Kept, Row>;
  readonly #lease: Lease<Kept>;
  readonly #shelf = new Shelf<Kept>();
  readonly #pictures = new PictureIds();
  readonly #queue = new Queue();

  /** Takes the whole context. */
  static async open<Kept extends Output, Row>(options: LanesOptions<Kept, Row>): Promise<KeptLanes<Kept, Row>> {
    const { cellCount, sequenceCount } = options.context.facts;
    return new KeptLanes(options, await options.context.reserve({ cellCount, sequenceCount }));
  }

  private constructor(options: LanesOptions<Kept, Row>, lease: Lease<Kept>) {
    this.#options = options;
    this.#lease = lease;
  }

  /** Ids of a prompt; its pictures must be held: what was evicted is computed from them again. */
  idsOf(parts: readonly NativePart[]): number[] {
    return this.#pictures.idsOf(parts);
  }

  /** These pictures live until they are {@link letGo}, as often as they were held. */
  hold(images: readonly NativeImage[]): void {
    this.#pictures.hold(images);
  }

  /** Nothing that anybody holds is computed from these pictures any more. */
  letGo(images: readonly NativeImage[]): void {
    this.#pictures.letGo(images);
  }

  /**
   * Computes `tokens` behind the first `pastLength` of `kept` and keeps the whole under a new number; `kept` itself stays.
   *
   * @param options.lookAt index in the whole of a token, among `tokens`, of which `row` is read on the way
   * @param options.isCommon whether many begin with it, so that it is the last to be evicted
   */
  async extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    options: RunOptions & { readonly lookAt?: number | undefined; readonly isCommon?: boolean },
  ): Promise<{ kept: KeptTokens; row: Row | undefined }> {
    const { lookAt, isCommon = false } = options;
    const ids = [...kept.ids.slice(0, pastLength), ...tokens];
    // Up to here another kept lane may have it already; a row is read where it is computed.
    const known = lookAt === undefined ? ids.length : pastLength;
    return await this.#inTurn(options, async (count) => {
      const room = { lanes: 1, cells: ids.length - known };
      const lane = await this.#branchOff({ cache: kept.cache, ids }, known, room, count, options);
      try {
        const done = lookAt === undefined ? known : lookAt + 1;
        await this.#prefill(lane, ids.slice(known, done), count, options);
        const [row] = done === known ? [] : await this.#options.read([lane], options.signal);
        await this.#prefill(lane, ids.slice(done), count, options);
        return { kept: this.#keep({ lane, ids, isCommon }), row };
      } catch (error) {
        await lane.release().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    });
  }

  /** What is read at the end of each branch; `kept` is what was kept with the stem, undefined where there was none. */
  async branch(
    { kept, reused, stem, branches }: BranchRun,
    options: RunOptions,
  ): Promise<{ rows: Row[]; kept: KeptTokens | undefined }> {
    return await this.#inTurn(options, async (count) => {
      const lanes = Math.min(branches.length, this.#options.context.facts.sequenceCount - 2);
      const groups = groupsOf(branches, lanes);
      const room = { lanes: lanes + 1, cells: Math.max(...groups.map(tokensIn)) };
      const ids = [...kept.ids.slice(0, reused), ...stem];
      const base = await this.#branchOff({ cache: kept.cache, ids }, ids.length, room, count, options);
      try {
        const rows: Row[] = [];
        for (const group of groups) rows.push(...(await this.#ends(base, group, count, options)));
        if (stem.length > 0) return { rows, kept: this.#keep({ lane: base, ids, isCommon: false }) };
        await base.release();
        return { rows, kept: undefined };
      } catch (error) {
        await base.release().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    });
  }

  /** Whether these tokens need not be computed again. */
  has({ cache }: KeptTokens): boolean {
    return cache === null || this.#shelf.has(cache);
  }

  /** In its turn, because what is at work may begin in it. */
  drop(cache: number | null): void {
    if (cache === null) return;
    // The context may be gone by then, and the lane with it.
    void this.#queue.run(async () => this.#shelf.take(cache)?.release()).catch(() => undefined);
  }

  /** Nobody holds it any more; it stays for whoever begins alike, as long as there is room. In its turn. */
  leave(cache: number | null): void {
    if (cache !== null) this.#release(() => this.#shelf.leave(cache));
  }

  /** Lets go of all that was left. In its turn. */
  forgetLeft(): void {
    this.#release(() => this.#shelf.takeLeft());
  }

  #release(take: () => readonly Sequence<Kept>[]): void {
    // The context may be gone by then, and the lanes with it.
    void this.#queue.run(() => Promise.all(take().map((lane) => lane.release()))).catch(() => undefined);
  }

  /** What is read at the end of each branch, all decoded in one batch. */
  async #ends(
    base: Sequence<Kept>,
    branches: readonly (readonly number[])[],
    count: Count,
    options: RunOptions,
  ): Promise<readonly Row[]> {
    const children = await base.fork(branches.length);
    try {
      const prefilled = children.map((child, b) => this.#prefill(child, branches[b] ?? [], count, options));
      await allEnded(prefilled); // none may still run when the lanes are released
      return await this.#options.read(children, options.signal);
    } finally {
      await Promise.all(children.map((child) => child.release().catch(() => undefined))); // the first failure is the one to tell
    }
  }

  async #inTurn<Value>(options: RunOptions, work: (count: Count) => Promise<Value>): Promise<Value> {
    return await this.#queue.run(async () => {
      const { statistics } = options;
      const startedAt = performance.now();
      const value = await work((tokens) => {
        statistics.ranTokenCount += tokens;
      });
      statistics.runCount += 1;
      statistics.runMs += performance.now() - startedAt;
      return value;
    }, options.signal);
  }

  /** A lane of one's own that holds the first `length` kept tokens, with room for what is to come. */
  async #branchOff(
    kept: KeptTokens,
    length: number,
    room: Room,
    count: Count,
    options: RunOptions,
  ): Promise<Sequence<Kept>> {
    const ids = kept.ids.slice(0, length);
    const parent = this.#shelf.parentOf(kept.cache, ids);
    const there = parent?.length ?? 0;
    const lane = await this.#makeRoom({ ...room, cells: room.cells + length - there }, parent);
    try {
      await lane.trim(there);
      // Evicted since, or never there: what was kept is computed again.
      await this.#prefill(lane, ids.slice(there), count, options);
      return lane;
    } catch (error) {
      await lane.release().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  /**
   * A lane that begins as the parent does, with room for what is to come. What is kept gives way: the least recently used
   * first; then the parent, whose end is in the way, so that the lane is the parent itself; last what many begin with.
   */
  async #makeRoom({ lanes, cells }: Room, parent: Parent<Kept> | null): Promise<Sequence<Kept>> {
    const { cellCount, sequenceCount } = this.#options.context.facts;
    let taken: Sequence<Kept> | null = null;
    try {
      for (;;) {
        const { usedCellCount, liveSequenceCount } = await this.#options.context.statistics();
        const wanted = taken === null ? lanes : lanes - 1;
        if (liveSequenceCount + wanted <= sequenceCount && usedCellCount + cells <= cellCount) break;
        const next = this.#shelf.leastNeeded(parent?.cache);
        if (next === null) throw this.#noRoom(lanes, cells);
        const lane = this.#shelf.take(next);
        if (next !== parent?.cache) await lane?.release();
        else {
          taken = parent.lane;
          await taken.trim(parent.length);
        }
      }
      if (taken !== null) return taken;
      const [lane] = parent === null ? [await this.#lease.createSequence()] : await parent.lane.fork(1);
      return lane as Sequence<Kept>;
    } catch (error) {
      await taken?.release().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  async #prefill(lane: Sequence<Kept>, tokens: readonly number[], count: Count, { signal }: RunOptions): Promise<void> {
    if (tokens.length === 0) return;
    await lane.prefill(this.#pictures.partsOf(tokens), { signal });
    count(tokens.length);
  }

  #keep(kept: KeptLane<Kept>): KeptTokens {
    return { cache: this.#shelf.put(kept), ids: kept.ids };
  }

  #noRoom(lanes: number, cells: number): EngineError {
    return new EngineError(
      'ERR_CACHE_FULL',
      `Expected room for ${lanes} sequences and ${cells} tokens in ${this.#options.name}, found less. Ask for fewer candidates or shorter answers.`,
    );
  }
}

function groupsOf(branches: readonly (readonly number[])[], size: number): (readonly number[])[][] {
  const groups: (readonly number[])[][] = [];
  for (let at = 0; at < branches.length; at += size) groups.push(branches.slice(at, at + size));
  return groups;
}

function tokensIn(group: readonly (readonly number[])[]): number {
  return group.reduce((sum, branch) => sum + branch.length, 0);
}
