/** A prompt before it is tokenised: who wrote which stretch, and where pictures stand. */
import { z } from 'zod';
import type { NativeImage } from '../native/image-types.js';

const imageSchema = z.custom<NativeImage>(
  (value) => typeof value === 'object' && value !== null && 'positionCount' in value,
  'expected a picture from encodeImage',
);

export const promptTurnSchema = z.strictObject({
  role: z.enum(['system', 'user', 'assistant'], "expected 'system', 'user' or 'assistant'"),
  text: z.string('expected a text'),
  images: z.array(imageSchema, 'expected pictures from encodeImage').optional(),
});

/** One turn as the model gets it. */
export interface PromptTurn {
  /** Whose it is; a system turn stands in front alone. */
  readonly role: 'system' | 'user' | 'assistant';
  /** Whatever it says, it becomes neither special tokens nor pictures. */
  readonly text: string;
  /** Of a user turn: pictures from `model.encodeImage`; they stand before its text. @default none */
  readonly images?: readonly NativeImage[] | undefined;
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
