/** What is asked of a sequence, and what a decode brings. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { integerFrom } from '../options.js';
import { type SamplerOptions, samplerSchema } from './sampler.js';
import type { DecodeStopReason } from './task.js';
import { TokenSet } from './token-set.js';

const callbackSchema = <Callback>() =>
  z.custom<Callback>((value) => typeof value === 'function', 'expected a function');

export const prefillSchema = z.strictObject({ signal: signalSchema.optional() });

export const decodeSchema = z.strictObject({
  sampler: samplerSchema.prefault({}),
  isContinued: z.boolean('expected true or false').default(false),
  maxTokens: integerFrom(1),
  signal: signalSchema.optional(),
  pause: z
    .strictObject({
      set: z.custom<TokenSet>((value) => value instanceof TokenSet, 'expected a TokenSet of this context'),
      accept: callbackSchema<(text: string, tokens: readonly number[]) => boolean>(),
    })
    .optional(),
  until: callbackSchema<(text: string) => boolean>().optional(),
  onText: callbackSchema<(text: string) => void>().optional(),
  logProbability: z.boolean('expected true or false').default(false),
});

/** What `sequence.prefill` and the calls that decode what is pending take. */
export interface PrefillOptions {
  /** Ends it with an AbortError, one step later at the latest; what is not decoded by then stays pending. */
  signal?: AbortSignal | undefined;
}

/** What `sequence.decode` takes. */
export interface DecodeOptions {
  /** Tokens sampled at most in this call, >= 1. */
  maxTokens: number;
  /** How tokens are drawn; the generator starts anew from its seed with every call. @default greedy */
  sampler?: SamplerOptions | undefined;
  /**
   * Whether it is drawn as in the last call on this sequence, whose generator goes on where it stood: then neither `sampler`
   * nor `logProbability` is looked at. @default false
   */
  isContinued?: boolean | undefined;
  /** Where to pause. @default nowhere */
  pause?: Pause | undefined;
  /**
   * Gets the text of this call so far after each token; a yes pauses there, whatever token it is. Each token is then a run
   * of its own, some tenths of a millisecond more. What it throws ends the decode. @default never
   */
  until?: ((text: string) => boolean) | undefined;
  /** Ends it with an AbortError, one step later at the latest; the sequence stays usable. */
  signal?: AbortSignal | undefined;
  /** Gets the text in whole characters, as they come. What it throws ends the decode. */
  onText?: ((text: string) => void) | undefined;
  /** Whether `Decoded.logProbability` is summed; a greedy token then costs some tenths of a millisecond more. @default false */
  logProbability?: boolean | undefined;
}

/** Of what a decode holds its sequence's logits against. */
export const contrastWeightSchema = z
  .number('expected a number from 0 to 1000000')
  .min(0, 'expected a number from 0 to 1000000')
  .max(1e6, 'expected a number from 0 to 1000000');

/** Where a decode pauses: at a token of the set, when `accept` says yes. */
export interface Pause {
  /** Of this context: see {@link Context.createTokenSet}. */
  set: TokenSet;
  /**
   * Gets text and tokens of this call so far, the token of the set included. A no goes on where it stood, with the same
   * generator and budget. What it throws ends the decode.
   */
  accept: (text: string, tokens: readonly number[]) => boolean;
}

/** What a decode brought. */
export interface Decoded {
  /** The end-of-generation token is not among them. */
  readonly tokens: readonly number[];
  /** Whole characters; bytes of an unfinished one open the text of the next decode, or end as U+FFFD. */
  readonly text: string;
  /** `end`: the model said so. `length`: `maxTokens` were sampled. `paused`: `accept` or `until` said yes. */
  readonly stopReason: DecodeStopReason;
  /**
   * Sum of the tokens' natural log probabilities, <= 0, each under the distribution it was drawn from (greedy: the softmax
   * of the logits). Undefined unless the option `logProbability` asked for it.
   */
  readonly logProbability: number | undefined;
}
