/**
 * Kept prefixes in a context of llama.cpp that nobody else uses: a kept prefix is a sequence, a longer one its fork, the
 * branches are forks of that, decoded in one batch. What finds no room is evicted, and computed again when it is needed.
 */
import type { Context, Lease, NativeImage, NativePart, Output, Sequence } from '../engine/index.js';
import { EngineError, throwIfAborted } from '../errors.js';
import { allEnded } from '../side-by-side.js';
import type { BranchRun, KeptTokens, RunOptions } from './backend.js';
import { PictureIds } from './picture-ids.js';

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

/** Made by {@link open}. One piece of work at a time: what comes at once waits its turn. */
export class KeptLanes<Kept extends Output, Row> {
  readonly #options: LanesOptions<Kept, Row>;
  readonly #lease: Lease<Kept>;
  /** By cache number, the least recently used first. */
  readonly #kept = new Map<number, Sequence<Kept>>();
  readonly #pictures = new PictureIds();
  #lastCache = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Takes the whole context. */
  static async open<Kept extends Output, Row>(options: LanesOptions<Kept, Row>): Promise<KeptLanes<Kept, Row>> {
    const { cellCount, sequenceCount } = options.context.facts;
    return new KeptLanes(options, await options.context.reserve({ cellCount, sequenceCount }));
  }

  private constructor(options: LanesOptions<Kept, Row>, lease: Lease<Kept>) {
    this.#options = options;
    this.#lease = lease;
  }

  /** Ids of a prompt with pictures, which must live until {@link forget}: what was evicted is computed from them again. */
  idsOf(parts: readonly NativePart[]): number[] {
    return this.#pictures.idsOf(parts);
  }

  /** These pictures are in no kept prefix any more. */
  forget(images: readonly NativeImage[]): void {
    this.#pictures.forget(images);
  }

  /**
   * Computes `tokens` behind the first `pastLength` of `kept` and keeps the whole under a new number; `kept` itself stays.
   *
   * @param options.lookAt index in the whole of a token, among `tokens`, of which `row` is read on the way
   */
  async extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    options: RunOptions & { readonly lookAt?: number | undefined },
  ): Promise<{ kept: KeptTokens; row: Row | undefined }> {
    return await this.#inTurn(options, async (count) => {
      const lane = await this.#branchOff(kept, pastLength, { lanes: 1, cells: tokens.length }, count, options);
      try {
        const done = options.lookAt === undefined ? 0 : options.lookAt + 1 - pastLength;
        await this.#prefill(lane, tokens.slice(0, done), count, options);
        const [row] = done === 0 ? [] : await this.#options.read([lane], options.signal);
        await this.#prefill(lane, tokens.slice(done), count, options);
        return { kept: this.#keep(lane, [...kept.ids.slice(0, pastLength), ...tokens]), row };
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
      const tokenCount = branches.reduce((sum, branch) => sum + branch.length, 0);
      const lanes = Math.min(branches.length, this.#options.context.facts.sequenceCount - 2);
      const room = { lanes: lanes + 1, cells: stem.length + tokenCount };
      const base = await this.#branchOff(kept, reused, room, count, options);
      try {
        await this.#prefill(base, stem, count, options);
        const rows: Row[] = [];
        for (let at = 0; at < branches.length; at += lanes)
          rows.push(...(await this.#ends(base, branches.slice(at, at + lanes), count, options)));
        if (stem.length > 0) return { rows, kept: this.#keep(base, [...kept.ids.slice(0, reused), ...stem]) };
        await base.release();
        return { rows, kept: undefined };
      } catch (error) {
        await base.release().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    });
  }

  drop(cache: number | null): void {
    const lane = cache === null ? undefined : this.#kept.get(cache);
    if (cache === null || lane === undefined) return;
    this.#kept.delete(cache);
    // The context may be gone already, and the lane with it.
    void lane.release().catch(() => undefined);
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
    const turn = this.#last.then(async () => {
      throwIfAborted(options.signal);
      const { statistics } = options;
      const startedAt = performance.now();
      const value = await work((tokens) => {
        statistics.ranTokenCount += tokens;
      });
      statistics.runCount += 1;
      statistics.runMs += performance.now() - startedAt;
      return value;
    });
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  /** A lane of one's own that holds the first `length` kept tokens, with room for what is to come. */
  async #branchOff(
    kept: KeptTokens,
    length: number,
    room: { readonly lanes: number; readonly cells: number },
    count: Count,
    options: RunOptions,
  ): Promise<Sequence<Kept>> {
    const parent = kept.cache === null ? undefined : this.#kept.get(kept.cache);
    if (kept.cache !== null && parent !== undefined) {
      this.#kept.delete(kept.cache);
      this.#kept.set(kept.cache, parent);
    }
    await this.#makeRoom({ ...room, cells: room.cells + (parent === undefined ? length : 0) }, parent);
    const isThere = parent !== undefined && length > 0;
    const [lane] = isThere ? await parent.fork(1) : [await this.#lease.createSequence()];
    if (lane === undefined) throw this.#noRoom(room.lanes, room.cells);
    try {
      if (isThere) await lane.trim(length);
      // Evicted since, or never there: what was kept is computed again.
      else await this.#prefill(lane, kept.ids.slice(0, length), count, options);
      return lane;
    } catch (error) {
      await lane.release().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  /** Evicts the least recently used caches until there is room. */
  async #makeRoom(room: { lanes: number; cells: number }, parent: Sequence<Kept> | undefined): Promise<void> {
    const { cellCount, sequenceCount } = this.#options.context.facts;
    for (;;) {
      const { usedCellCount, liveSequenceCount } = await this.#options.context.statistics();
      if (liveSequenceCount + room.lanes <= sequenceCount && usedCellCount + room.cells <= cellCount) return;
      const oldest = [...this.#kept].find(([, lane]) => lane !== parent);
      if (oldest === undefined) throw this.#noRoom(room.lanes, room.cells);
      this.#kept.delete(oldest[0]);
      await oldest[1].release();
    }
  }

  async #prefill(lane: Sequence<Kept>, tokens: readonly number[], count: Count, { signal }: RunOptions): Promise<void> {
    if (tokens.length === 0) return;
    await lane.prefill(this.#pictures.partsOf(tokens), { signal });
    count(tokens.length);
  }

  #keep(lane: Sequence<Kept>, ids: readonly number[]): KeptTokens {
    this.#lastCache += 1;
    this.#kept.set(this.#lastCache, lane);
    return { cache: this.#lastCache, ids };
  }

  #noRoom(lanes: number, cells: number): EngineError {
    return new EngineError(
      'ERR_CACHE_FULL',
      `Expected room for ${lanes} sequences and ${cells} tokens in ${this.#options.name}, found less. Ask for fewer candidates or shorter answers.`,
    );
  }
}
