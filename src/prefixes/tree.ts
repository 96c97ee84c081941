/** Several continuations of one prefix: what is kept of it already, what they share behind it, and what each has alone. */

/** The sequences as a kept prefix, what they share after it, and what each has alone. */
export interface Tree {
  /** Positions of the kept cache that all sequences begin with. */
  readonly reused: number;
  /** Tokens that all share and the cache lacks. */
  readonly stem: readonly number[];
  /** The rest of each sequence, at least one token. */
  readonly branches: readonly (readonly number[])[];
}

/** Length of the prefix that two sequences share. */
export function sharedLength(a: readonly number[], b: readonly number[]): number {
  const shortest = Math.min(a.length, b.length);
  let length = 0;
  while (length < shortest && a[length] === b[length]) length++;
  return length;
}

/** The tree of whole sequences over the tokens of a kept cache. Every branch keeps at least its last token, where the score is read. */
export function planTree(sequences: readonly (readonly number[])[], cached: readonly number[]): Tree {
  const [first = []] = sequences;
  let shared = first.length - 1;
  for (const sequence of sequences) shared = Math.min(shared, sequence.length - 1, sharedLength(first, sequence));
  shared = Math.max(shared, 0);
  const stem = first.slice(0, shared);
  const reused = sharedLength(stem, cached);
  return { reused, stem: stem.slice(reused), branches: sequences.map((sequence) => sequence.slice(shared)) };
}

/** Splits branches into runs of at most `tokenLimit` tokens (or one branch), in order. */
export function groupBranches<Branch extends readonly number[]>(
  branches: readonly Branch[],
  tokenLimit: number,
): Branch[][] {
  const groups: Branch[][] = [];
  let tokens = Number.POSITIVE_INFINITY;
  for (const branch of branches) {
    if (tokens + branch.length > tokenLimit) {
      groups.push([]);
      tokens = 0;
    }
    groups.at(-1)?.push(branch);
    tokens += branch.length;
  }
  return groups;
}
