/** How a request begins: from what earlier requests left, from what others read just now, or from nothing. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import type { NativePart } from '../native/context-types.js';
import { type ComingPrefix, ComingPrefixes } from './coming-prefixes.js';
import { partsBehind } from './content-chain.js';
import type { Found, KeptPrefixes } from './kept-prefixes.js';
import type { Lease } from './lease.js';
import type { Output } from './output.js';
import type { Sequence } from './sequence.js';

/** What `context.begin` takes beside the prompt and the demand. */
export interface BeginOptions {
  /** Ends the wait with an AbortError. */
  signal?: AbortSignal | undefined;
  /** Whether it may start from what another request left, or reads just now, and others from what it reads. @default true */
  reuse?: boolean | undefined;
}

export const beginSchema = z.strictObject({
  signal: signalSchema.optional(),
  reuse: z.boolean('expected true or false').default(true),
});

/** A request that may begin. */
export interface Begun<Kept extends Output = 'logits'> {
  /** What it may use; release it. */
  readonly lease: Lease<Kept>;
  /** Holds the beginning of the prompt, or nothing; of the lease. */
  readonly sequence: Sequence<Kept>;
  /** What is left to prefill. */
  readonly rest: readonly NativePart[];
  /** Tokens of the prompt that need not be computed; a picture counts its rows. */
  readonly cachedTokenCount: number;
}

/** The sequence of a request, and how much of the prompt it holds. */
type Started<Kept extends Output> = Pick<Begun<Kept>, 'sequence' | 'cachedTokenCount'>;

/** What a request begins with, of one context. */
export class Beginnings<Kept extends Output> {
  readonly #kept: KeptPrefixes;
  readonly #coming: ComingPrefixes;

  /** @param forksAnywhere whether a fork can be cut to any number of tokens */
  constructor(kept: KeptPrefixes, forksAnywhere: boolean) {
    this.#kept = kept;
    this.#coming = new ComingPrefixes(forksAnywhere);
  }

  /**
   * Called in the moment of the grant: what is kept is asked for, and what is kept too much let go, before this gives back
   * its promise.
   *
   * @throws AbortError, what making a sequence throws; then the lease is the caller's to release
   */
  async begin(
    lease: Lease<Kept>,
    prompt: readonly NativePart[],
    { signal, reuse = true }: BeginOptions,
  ): Promise<Begun<Kept>> {
    const own = reuse ? this.#coming.add(prompt) : null;
    try {
      const { sequence, cachedTokenCount } =
        own === null ? await this.#anew(lease) : await this.#start(lease, prompt, own, signal);
      if (own !== null) sequence.expect(own);
      return { lease, sequence, rest: partsBehind(prompt, cachedTokenCount), cachedTokenCount };
    } catch (error) {
      own?.end();
      throw error;
    }
  }

  /**
   * From the most that it can start from: what is kept, or what an earlier request is reading and has read as far as the
   * two are alike, which takes no longer than reading it anew.
   */
  async #start(
    lease: Lease<Kept>,
    prompt: readonly NativePart[],
    own: ComingPrefix,
    signal: AbortSignal | undefined,
  ): Promise<Started<Kept>> {
    const startFrom = async (found: Found): Promise<Started<Kept>> => {
      own.startsFrom(found.tokenCount);
      lease.expect(found.content);
      const isIts = this.#kept.shrink(found);
      return { sequence: await lease.startFrom(found, isIts), cachedTokenCount: found.tokenCount };
    };
    for (;;) {
      const kept = this.#kept.find(prompt);
      const ahead = this.#coming.find(own, kept?.tokenCount ?? 0);
      if (ahead === null) return kept === null ? await this.#anew(lease) : await startFrom(kept);
      this.#kept.shrink();
      const wanted = { flat: own.flat, tokenCount: ahead.tokenCount };
      const started = await ahead.coming.wait(wanted, (found) => startFrom(this.#longer(found, prompt)), signal);
      if (started !== null) return started;
    }
  }

  async #anew(lease: Lease<Kept>): Promise<Started<Kept>> {
    this.#kept.shrink();
    return { sequence: await lease.createSequence(), cachedTokenCount: 0 };
  }

  /** What is kept by then, where that is more. */
  #longer(found: Found, prompt: readonly NativePart[]): Found {
    const kept = this.#kept.find(prompt);
    return kept !== null && kept.tokenCount > found.tokenCount ? kept : found;
  }
}
