/** The conversation of a request: every field checked, one sentence for each mistake. */
import { types } from 'node:util';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { describe } from '../options.js';
import type { ImageSource, RgbImage } from '../types/picture.js';
import type { Turn } from '../types/turn.js';

const IMAGE = 'expected a path, a URL, bytes or pixels { data, width, height }';

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

/** How a request says its conversation, for the schemas that have more beside it. */
export const turnFields = {
  prompt: z.string('expected a text').optional(),
  image: imageSchema.optional(),
  images: imagesSchema.optional(),
  turns: z.array(turnSchema, 'expected an array of turns').optional(),
};

interface Asked {
  readonly prompt?: string | undefined;
  readonly image?: ImageSource | undefined;
  readonly images?: readonly ImageSource[] | undefined;
  readonly turns?: readonly Turn[] | undefined;
}

/** What a conversation may be, where it is not one that is answered. */
export interface TurnRules {
  /** Whether it may say nothing: pictures alone, or not even those. */
  readonly mayBeSilent?: boolean;
  /** Whether an answer may stand last. */
  readonly mayEndWithAnswer?: boolean;
}

/** @throws UsageError ERR_INVALID_REQUEST */
export function turnsOf(asked: Asked, rules: TurnRules = {}): readonly Turn[] {
  const { turns } = asked;
  return turns === undefined ? [question(asked, rules)] : conversation({ ...asked, turns }, rules);
}

function question({ prompt, image, images }: Asked, { mayBeSilent = false }: TurnRules): Turn {
  if (!mayBeSilent && (prompt === undefined || prompt.trim() === ''))
    throw invalid(
      `prompt: expected a question, received ${describe(prompt)}. Give prompt, or turns that end with one.`,
    );
  if (image !== undefined && images !== undefined)
    throw invalid('image: expected image or images, received both. Put every picture into images.');
  return { role: 'user', text: prompt ?? '', images: image === undefined ? (images ?? []) : [image] };
}

function conversation(
  { turns, ...others }: Asked & { readonly turns: readonly Turn[] },
  { mayBeSilent = false, mayEndWithAnswer = false }: TurnRules,
): readonly Turn[] {
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
  if (mayEndWithAnswer && last?.role === 'assistant') return turns;
  if (last?.role !== 'user' || (!mayBeSilent && last.text.trim() === ''))
    throw invalid(
      `turns: expected a question in a user turn at the end, received ${describe(last?.role === 'user' ? last.text : last?.role)}.`,
    );
  return turns;
}

function invalid(message: string): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `request: ${message}`);
}
