/** How the next token is drawn. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { NativeSamplerOptions } from '../native/run-types.js';
import { integer, integerFrom } from '../options.js';

/** Greedy decoding: the most likely token each time, the first of equals. */
export const GREEDY: SamplerOptions = { temperature: 0 };

/** How tokens are drawn: filtered by `topK`, then `topP`, then `minP`, of what `temperature` makes of the logits. */
export interface SamplerOptions {
  /** Logits are divided by it, >= 0; 0: greedy, the first of equals. @default 0 */
  temperature?: number | undefined;
  /** Most likely tokens that are kept, >= 0; 0: all. @default 0 */
  topK?: number | undefined;
  /** The smallest set of tokens with this probability is kept, in (0, 1]; 1: all. @default 1 */
  topP?: number | undefined;
  /** Tokens below this share of the most likely one's probability are dropped, in [0, 1]; 0: none. @default 0 */
  minP?: number | undefined;
  /** Of the generator, an integer from 0 to 4294967295: the same seed, the same draws. @default random */
  seed?: number | undefined;
}

export const samplerSchema = z.strictObject({
  temperature: z.number('expected a number >= 0').min(0, 'expected a number >= 0').default(0),
  topK: integerFrom(0).default(0),
  topP: z
    .number('expected a number in (0, 1]')
    .gt(0, 'expected a number in (0, 1]')
    .max(1, 'expected a number in (0, 1]')
    .default(1),
  minP: z
    .number('expected a number in [0, 1]')
    .min(0, 'expected a number in [0, 1]')
    .max(1, 'expected a number in [0, 1]')
    .default(0),
  seed: integer(0, 0xffffffff).optional(),
});

/** A seed nobody chose: unsigned 32 bits. */
export function randomSeed(): number {
  return randomInt(0, 2 ** 32);
}

/** Parsed parameters with their seed, as the addon takes them. */
export function nativeSampler(
  options: z.output<typeof samplerSchema>,
  wantsLogProbabilities: boolean,
): NativeSamplerOptions {
  return { ...options, seed: options.seed ?? randomSeed(), wantsLogProbabilities };
}

/** One independent seed per (seed, indices...), so that candidate k of round i draws the same whatever ran beside it. */
export function deriveSeed(seed: number, ...indices: readonly number[]): number {
  return deriveSeedOver(seed, indices);
}

/**
 * As {@link deriveSeed}, of any number of indices: as arguments, a hundred thousand would not fit the stack. FNV-1a over
 * the 32-bit words, finished with the mixer of MurmurHash3 so that neighbours differ in every bit.
 */
export function deriveSeedOver(seed: number, indices: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let i = -1; i < indices.length; i++) {
    const word = i < 0 ? seed : (indices[i] as number);
    for (let shift = 0; shift < 32; shift += 8) {
      hash ^= (word >>> shift) & 0xff;
      hash = Math.imul(hash, 0x01000193);
    }
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash >>> 0;
}
