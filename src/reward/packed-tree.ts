/**
 * Several continuations of one prefix in a single sequence: [stem | branch 1 | branch 2 | ...]. A tree mask lets each
 * branch see the kept cache, the stem and itself; positions start anew in each branch. So N candidates cost the tokens
 * in which they differ, and each gets the score that it would get alone.
 */

/** What is added to an attention logit to forbid a look. exp() of it is exactly 0 in float32. */
export const BLOCKED = -1e9;

/** Inputs of one run, row-major. */
export interface PackedRun {
  readonly ids: readonly number[];
  readonly positions: readonly number[];
  /** Shape [ids.length, pastLength + ids.length]: 0 = may look, {@link BLOCKED} = may not. */
  readonly mask: Float32Array;
  /** Index in `ids` of the last token of each branch. */
  readonly ends: readonly number[];
}

/** Lays stem and branches out behind `pastLength` kept positions. */
export function packTree(
  pastLength: number,
  stem: readonly number[],
  branches: readonly (readonly number[])[],
): PackedRun {
  const ids = [...stem];
  const positions = stem.map((_, i) => pastLength + i);
  const ends: number[] = [];
  const branchStarts: number[] = [];
  const branchPosition = pastLength + stem.length;
  for (const branch of branches) {
    branchStarts.push(ids.length);
    for (let i = 0; i < branch.length; i++) positions.push(branchPosition + i);
    for (const id of branch) ids.push(id);
    ends.push(ids.length - 1);
  }
  const width = pastLength + ids.length;
  const mask = new Float32Array(ids.length * width).fill(BLOCKED);
  for (let row = 0; row < stem.length; row++) mask.fill(0, row * width, row * width + pastLength + row + 1);
  branches.forEach((branch, b) => {
    const start = branchStarts[b] ?? 0;
    for (let row = start; row < start + branch.length; row++) {
      mask.fill(0, row * width, row * width + branchPosition);
      mask.fill(0, row * width + pastLength + start, row * width + pastLength + row + 1);
    }
  });
  return { ids, positions, mask, ends };
}
