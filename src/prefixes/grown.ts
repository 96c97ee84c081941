/** Scoring sequences that grow: what they share is kept from one call to the next, and computed once. */
import type { BranchBackend, KeptTokens, RunOptions } from './backend.js';
import { groupBranches, planTree } from './tree.js';

/** The cache of one who scores. It grows with the sequences, and belongs to nobody else. */
export class GrownPrefix<Row = Float32Array> {
  readonly #backend: BranchBackend<Row>;
  /** Once it has grown beyond what others own. */
  #own: KeptTokens | undefined;

  constructor(backend: BranchBackend<Row>) {
    this.#backend = backend;
  }

  /**
   * What the backend makes of the end of each sequence: what all share once, then the branches, as many in a run as the
   * backend takes.
   *
   * @param shared a cache that others own, for where there is none of one's own yet
   */
  async rows(
    sequences: readonly (readonly number[])[],
    shared: KeptTokens,
    options: RunOptions,
  ): Promise<readonly Row[]> {
    const backend = this.#backend;
    let kept = this.#own ?? shared;
    let { reused, stem, branches } = planTree(sequences, kept.ids);
    const groups = groupBranches(branches, backend.groupTokens);
    // Behind an empty cache some graphs ignore positions, so the stem never travels with branches there.
    const stemAlone = stem.length > 0 && (groups.length > 1 || stem.length > backend.stemTokens || reused === 0);
    if (stemAlone) {
      ({ kept } = await backend.extend(kept, reused, stem, options));
      this.#keep(kept);
      reused += stem.length;
      stem = [];
    }
    const rows: Row[] = [];
    for (const group of groups) {
      const found = await backend.scoreBranches({ kept, reused, stem, branches: group }, options);
      if (found.kept !== undefined) this.#keep(found.kept);
      rows.push(...found.rows);
    }
    return rows;
  }

  /** Gives up its own cache, which the backend may keep for others. */
  leave(): void {
    const { cache = null } = this.#own ?? {};
    this.#own = undefined;
    if (this.#backend.leave === undefined) this.#backend.drop(cache);
    else this.#backend.leave(cache);
  }

  /** Forgets its own cache. */
  drop(): void {
    if (this.#own !== undefined) this.#backend.drop(this.#own.cache);
    this.#own = undefined;
  }

  /** Takes a longer cache in place of its own. */
  #keep(kept: KeptTokens): void {
    this.drop();
    this.#own = kept;
  }
}
