/** A turn of a conversation, as callers say it and as evaluators see it. */
import type { ImageSource } from './picture.js';

/** One turn of a conversation. */
export interface Turn {
  /** Whose it is; a system turn stands in front alone. */
  readonly role: 'system' | 'user' | 'assistant';
  /** Whatever it says, it becomes neither special tokens nor pictures. */
  readonly text: string;
  /** Of a user turn; they stand before its text. @default none */
  readonly images?: readonly ImageSource[] | undefined;
}

/** A turn as evaluators see it: text alone. */
export interface TextTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}
