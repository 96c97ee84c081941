/** A prompt before it is tokenised: who wrote which stretch, and where pictures stand. */
import { z } from 'zod';
import type { NativeImage } from '../native/binding-types.js';

const imageSchema = z.custom<NativeImage>(
  (value) => typeof value === 'object' && value !== null && 'positionCount' in value,
  'expected a picture from encodeImage',
);

/** One turn as the model gets it. Pictures stand before the text of their turn. */
export const promptTurnSchema = z.strictObject({
  role: z.enum(['system', 'user', 'assistant'], "expected 'system', 'user' or 'assistant'"),
  text: z.string('expected a text'),
  images: z.array(imageSchema, 'expected pictures from encodeImage').optional(),
});

export interface PromptTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
  readonly images?: readonly NativeImage[];
}

/** `template`: the model's own markup, in which special tokens are meant. `text`: somebody's words, which stay words. */
export type PromptPiece =
  | { readonly kind: 'template'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image'; readonly image: NativeImage };

export function templatePiece(text: string): PromptPiece {
  return { kind: 'template', text };
}

export function textPiece(text: string): PromptPiece {
  return { kind: 'text', text };
}

export function imagePieces(images: readonly NativeImage[] | undefined): PromptPiece[] {
  return (images ?? []).map((image) => ({ kind: 'image', image }));
}
