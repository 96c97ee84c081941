/** What a caller asks: every field checked, one sentence for each mistake. */
import { types } from 'node:util';
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { UsageError } from '../errors.js';
import { describe, parseOptions } from '../options.js';
import {
  overridePolicy,
  overrideThresholds,
  type Policy,
  policyFields,
  type ThresholdsInForce,
} from '../policy/index.js';
import type { ImageSource, RgbImage, Turn } from '../types.js';
import { checkCounts } from './request-counts.js';

const IMAGE = 'expected a path, a URL, bytes or pixels { data, width, height }';

/**
 * An array that callers may hold as a read-only one; what is parsed of it is another array. zod's own `readonly()` freezes
 * what it is given, and what it refuses is the caller's.
 */
function readonlyArray<Item extends z.ZodType>(
  item: Item,
  message: string,
): z.ZodType<z.output<Item>[], readonly z.input<Item>[]> {
  return z.array(item, message) as z.ZodType<z.output<Item>[], readonly z.input<Item>[]>;
}

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
const imagesSchema = readonlyArray(imageSchema, 'expected an array of pictures');

const turnSchema = z.strictObject(
  {
    role: z.enum(['system', 'user', 'assistant'], 'expected system, user or assistant'),
    text: z.string('expected a text'),
    images: imagesSchema.optional(),
  },
  'expected a turn { role, text, images }',
);

const seedMessage = 'expected an integer from 0 to 4294967295';

const requestFields = {
  /** The question. Either this, or `turns`. */
  prompt: z.string('expected a text').optional(),
  /** A picture, or several, at most 1,024; they stand before the question. */
  image: imageSchema.optional(),
  images: imagesSchema.optional(),
  /** A whole conversation of at most 1,024 turns, which ends with a user turn; pictures stand in user turns, at most 1,024 in all. */
  turns: readonlyArray(turnSchema, 'expected an array of turns').optional(),
  /** Unsigned 32 bits: the same seed draws the same candidates. @default random */
  seed: z.int(seedMessage).min(0, seedMessage).max(0xffffffff, seedMessage).optional(),
  signal: signalSchema.optional(),
  ...policyFields,
};

const requestSchema = z.strictObject(requestFields, 'expected a request { prompt, image } or { turns }');

/** What `respond` and `stream` take: the question and, for this request alone, any option that changes decisions. */
export type EtaRequest = z.input<typeof requestSchema>;

/** A request that can be run. */
export interface CheckedRequest extends ThresholdsInForce {
  readonly turns: readonly Turn[];
  readonly policy: Policy;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

/** What a request falls back to. */
export interface RequestDefaults extends ThresholdsInForce {
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
  const parsed = parseOptions(requestSchema, request, 'request');
  return {
    turns: parsed.turns === undefined ? [question(parsed)] : conversation({ ...parsed, turns: parsed.turns }),
    policy: overridePolicy(defaults.policy, parsed),
    ...overrideThresholds(defaults, parsed.thresholds, 'request'),
    seed: parsed.seed ?? defaults.newSeed(),
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
