/** What a caller asks: every field checked, one sentence for each mistake. */
import { types } from 'node:util';
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { UsageError } from '../errors.js';
import { loadSchema } from '../loading/index.js';
import { describe, integer, parseOptions } from '../options.js';
import {
  type DecisionOptions,
  overridePolicy,
  overrideThresholds,
  type Policy,
  policyFields,
  type ThresholdsInForce,
} from '../policy/index.js';
import type { ImageSource, RgbImage, Turn } from '../types.js';
import { checkCounts } from './request-counts.js';

const IMAGE = 'expected a path, a URL, bytes or pixels { data, width, height }';

/** What every request may say beside its question. */
export interface RequestOptions extends DecisionOptions {
  /**
   * Of the search, an integer from 0 to 4294967295: the same seed draws the same candidates.
   * @default random; the result tells it
   */
  seed?: number | undefined;
  /**
   * Whether it may start from what earlier requests left in the cache, and leave what it read: prompt, picture, CLIP's view
   * of it. What is computed anew may differ in its last bits. @default the Eta's, true unless it was loaded otherwise
   */
  reuse?: boolean | undefined;
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

const imageSchema = z
  .custom<ImageSource>(
    (value) =>
      (typeof value === 'string' && value !== '') ||
      value instanceof URL ||
      types.isUint8Array(value) ||
      (typeof value === 'object' && value !== null && types.isUint8Array((value as Partial<RgbImage>).data)),
    IMAGE,
  )
  .transform((source) => (source instanceof URL ? new URL(source) : source));
const imagesSchema = z.array(imageSchema, 'expected an array of pictures');

const turnSchema = z.strictObject(
  {
    role: z.enum(['system', 'user', 'assistant'], 'expected system, user or assistant'),
    text: z.string('expected a text'),
    images: imagesSchema.optional(),
  },
  'expected a turn { role, text, images }',
);

const requestSchema = z.strictObject(
  {
    prompt: z.string('expected a text').optional(),
    image: imageSchema.optional(),
    images: imagesSchema.optional(),
    turns: z.array(turnSchema, 'expected an array of turns').optional(),
    seed: integer(0, 0xffffffff).optional(),
    reuse: z.boolean('expected true or false').optional(),
    signal: signalSchema.optional(),
    ...policyFields,
  },
  'expected a request { prompt, image } or { turns }',
);

const LOADING = { names: Object.keys(loadSchema.shape), taker: 'loadEta' };

/** A request that can be run. */
export interface CheckedRequest extends ThresholdsInForce {
  readonly turns: readonly Turn[];
  readonly policy: Policy;
  readonly seed: number;
  /** Whether it may start from what earlier requests left, and leave what it read. */
  readonly reuse: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What a request falls back to. */
export interface RequestDefaults extends ThresholdsInForce {
  readonly policy: Policy;
  readonly reuse: boolean;
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
    turns: parsed.turns === undefined ? [question(parsed)] : conversation({ ...parsed, turns: parsed.turns }),
    policy: overridePolicy(defaults.policy, parsed),
    ...overrideThresholds(defaults, parsed.thresholds, 'request'),
    seed: parsed.seed ?? defaults.newSeed(),
    reuse: parsed.reuse ?? defaults.reuse,
    signal: parsed.signal,
  };
}

type Parsed = z.output<typeof requestSchema>;

function question({ prompt, image, images }: Parsed): Turn {
  if (prompt === undefined || prompt.trim() === '')
    throw invalid(
      `prompt: expected a question, received ${describe(prompt)}. Give prompt, or turns that end with one.`,
    );
  if (image !== undefined && images !== undefined)
    throw invalid('image: expected image or images, received both. Put every picture into images.');
  return { role: 'user', text: prompt, images: image === undefined ? (images ?? []) : [image] };
}

function conversation({ turns, ...others }: Parsed & { turns: readonly Turn[] }): readonly Turn[] {
  for (const name of ['prompt', 'image', 'images'] as const) {
    if (others[name] !== undefined)
      throw invalid(`${name}: expected turns or ${name}, received both. Put it into the last turn.`);
  }
  for (const [index, { role, images }] of turns.entries()) {
    if (role === 'system' && index > 0)
      throw invalid(`turns.${index}.role: expected system as the first turn only. Move it to the front.`);
    if (role !== 'user' && images !== undefined && images.length > 0)
      throw invalid(`turns.${index}.images: expected pictures in user turns, received some in a ${role} turn.`);
    if (role !== 'system' && role === turns[index - 1]?.role)
      throw invalid(
        `turns.${index}.role: expected user and assistant in turn, received ${role} twice. Join the two texts.`,
      );
  }
  const first = turns.find(({ role }) => role !== 'system');
  if (first?.role === 'assistant')
    throw invalid('turns: expected the conversation to begin with a user turn, received an assistant turn.');
  const last = turns.at(-1);
  if (last?.role !== 'user' || last.text.trim() === '')
    throw invalid(
      `turns: expected a question in a user turn at the end, received ${describe(last?.role === 'user' ? last.text : last?.role)}.`,
    );
  return turns;
}

function invalid(message: string): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `request: ${message}`);
}
