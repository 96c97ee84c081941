/** What a caller asks: every field checked, one sentence for each mistake. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { loadSchema } from '../loading/index.js';
import { integer, parseOptions } from '../options.js';
import {
  type DecisionOptions,
  overridePolicy,
  overrideThresholds,
  type Policy,
  policyFields,
  type ThresholdsInForce,
} from '../policy/index.js';
import { StopTexts } from '../search/index.js';
import type { ImageSource } from '../types/picture.js';
import type { Turn } from '../types/turn.js';
import { checkCounts } from './request-counts.js';
import { turnFields, turnsOf } from './request-turns.js';
import { type Sharing, sharingFields, sharingOf } from './sharing.js';

/** What every request may say beside its question. */
export interface RequestOptions extends DecisionOptions {
  /**
   * Of all that is drawn, an integer from 0 to 4294967295: the same seed draws the same candidates, and the same answer
   * where `answerTemperature` is above 0.
   * @default random; the result tells it
   */
  seed?: number | undefined;
  /**
   * Texts that end the answer, at most 16 of 1 to 256 characters each: it ends before the one that is complete first, also
   * where that spans tokens or sentences, and nothing behind it is given out or judged. White space before an answer is
   * none of it. `stopReason` is `sequence` then. @default none
   */
  stop?: string | readonly string[] | undefined;
  /**
   * Whether it may start from what earlier requests left in the cache, and leave what it read: prompt, picture, CLIP's view
   * of it. What is computed anew may differ in its last bits. @default the Eta's, true unless it was loaded otherwise
   */
  reuse?: boolean | undefined;
  /**
   * Whether it runs alone and takes nothing that others left, so that what comes of it depends on nothing else that is
   * asked: `LoadEtaOptions`. Others wait meanwhile. @default the Eta's, false unless it was loaded otherwise
   */
  exact?: boolean | undefined;
  /** Ends the request with an AbortError, within one step of the model. */
  signal?: AbortSignal | undefined;
}

/** A question, about one picture or none. */
export interface QuestionRequest extends RequestOptions {
  /** The question; not empty. */
  prompt: string;
  /** The picture; it stands before the question. @default none */
  image?: ImageSource | undefined;
  /** Not beside `image`: see {@link PicturesRequest}. */
  images?: undefined;
  /** Not beside `prompt`: see {@link ConversationRequest}. */
  turns?: undefined;
}

/** A question about several pictures. */
export interface PicturesRequest extends RequestOptions {
  /** The question; not empty. */
  prompt: string;
  /** The pictures, at most 1,024; they stand before the question. */
  images: readonly ImageSource[];
  /** Not beside `images`: see {@link QuestionRequest}. */
  image?: undefined;
  /** Not beside `prompt`: see {@link ConversationRequest}. */
  turns?: undefined;
}

/** A whole conversation. */
export interface ConversationRequest extends RequestOptions {
  /**
   * At most 1,024 turns: a system turn in front, if any, then user and assistant by turns, a user turn first and last.
   * At most 1,024 pictures in all, in user turns.
   */
  turns: readonly Turn[];
  /** Not beside `turns`: put it into the last turn. */
  prompt?: undefined;
  /** Not beside `turns`: put it into a turn. */
  image?: undefined;
  /** Not beside `turns`: put them into a turn. */
  images?: undefined;
}

/**
 * What `respond` and `stream` take: a question with its picture or pictures, or a conversation; and, for this request
 * alone, any option that changes decisions.
 */
export type EtaRequest = QuestionRequest | PicturesRequest | ConversationRequest;

const MOST_STOPS = 16;
/** Half a character is in no answer. */
const isStopText = (value: unknown) =>
  typeof value === 'string' && value !== '' && value.length <= 256 && !/\p{Surrogate}/u.test(value);
const stopSchema = z.custom<string | readonly string[]>().superRefine((value: unknown, context) => {
  const refuse = (message: string, ...path: number[]) => context.addIssue({ code: 'custom', message, path });
  const one = 'expected a text of 1 to 256 whole characters';
  if (!Array.isArray(value)) {
    if (!isStopText(value)) refuse(typeof value === 'string' ? one : `${one}, or an array of them`);
  } else if (value.length > MOST_STOPS) refuse(`expected at most ${MOST_STOPS} texts`);
  else {
    const wrong = value.findIndex((text) => !isStopText(text));
    if (wrong >= 0) refuse(one, wrong);
  }
});

const requestSchema = z.strictObject(
  {
    ...turnFields,
    seed: integer(0, 0xffffffff).optional(),
    stop: stopSchema.optional(),
    ...sharingFields,
    signal: signalSchema.optional(),
    ...policyFields,
  },
  'expected a request { prompt, image } or { turns }',
);

const LOADING = { names: Object.keys(loadSchema.shape), taker: 'loadEta' };

/** A request that can be run. */
export interface CheckedRequest extends ThresholdsInForce, Sharing {
  readonly turns: readonly Turn[];
  readonly policy: Policy;
  readonly seed: number;
  readonly stops: StopTexts;
  readonly signal: AbortSignal | undefined;
}

/** What a request falls back to. */
export interface RequestDefaults extends ThresholdsInForce, Sharing {
  readonly policy: Policy;
  newSeed(): number;
}

/**
 * Nothing of the request is kept but its signal: whoever changes it afterwards changes no answer.
 *
 * @throws UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION, ERR_INVALID_REQUEST or ERR_PROMPT_TOO_LONG
 */
export function parseRequest(request: EtaRequest, defaults: RequestDefaults): CheckedRequest {
  checkCounts(request);
  const parsed = parseOptions(requestSchema, request, 'request', LOADING);
  return {
    turns: turnsOf(parsed),
    policy: overridePolicy(defaults.policy, parsed, 'request'),
    ...overrideThresholds(defaults, parsed.thresholds, 'request'),
    seed: parsed.seed ?? defaults.newSeed(),
    stops: new StopTexts(parsed.stop ?? []),
    ...sharingOf(parsed, defaults),
    signal: parsed.signal,
  };
}
