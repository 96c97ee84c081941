/** Several prompts that begin alike: what all begin with can be prefilled once, and the rest of each on a fork. */
import type { NativePart } from '../native/context-types.js';
import { flatOf, partsBehind, sharedTokenCount } from './content-chain.js';

/** What several prompts have in common, and what each has alone. */
export interface CommonBeginning {
  /** Tokens that all begin with; a picture counts its rows, and is shared whole or not at all. */
  readonly tokenCount: number;
  /** The parts up to there. Of one prompt alone, all of it. */
  readonly shared: readonly NativePart[];
  /** What each prompt has behind it, in their order. */
  readonly rests: readonly (readonly NativePart[])[];
}

/** Pictures are alike where they are the same encoded picture. */
export function commonBeginning(prompts: readonly (readonly NativePart[])[]): CommonBeginning {
  const [first = [], ...others] = prompts;
  const flat = flatOf(first);
  const counts = [flat, ...others.map(flatOf)].map((other) => sharedTokenCount(flat, other));
  const tokenCount = prompts.length === 0 ? 0 : Math.min(...counts);
  return {
    tokenCount,
    shared: firstParts(first, tokenCount),
    rests: prompts.map((prompt) => partsBehind(prompt, tokenCount)),
  };
}

/** The parts up to there, which is no place inside a picture. */
function firstParts(prompt: readonly NativePart[], tokenCount: number): NativePart[] {
  const first: NativePart[] = [];
  let left = tokenCount;
  for (const part of prompt) {
    if (left === 0) break;
    const count = part instanceof Int32Array ? part.length : part.tokenCount;
    first.push(part instanceof Int32Array ? part.subarray(0, left) : part);
    left -= Math.min(left, count);
  }
  return first;
}
