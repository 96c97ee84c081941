/** Shapes that more than one room speaks of. This file imports nothing of ours. */

/** A decoded picture: 8-bit RGB, row-major, no alpha; `data.length === width * height * 3`. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Where a picture comes from: a file path, a `file:` or `data:` URL, encoded bytes, or pixels. */
export type ImageSource = string | URL | Uint8Array | RgbImage;

/** One turn of a conversation. Pictures stand before the text of their turn. */
export interface Turn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
  readonly images?: readonly ImageSource[];
}

/** A turn as evaluators see it: text alone. */
export interface TextTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}
