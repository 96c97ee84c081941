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

/**
 * How a conversation is written for the language model. `file`: by the chat template in its GGUF; a LLaVA-1.5 file that has none
 * gets LLaVA's own. `llava_v1`: a LLaVA-1.5 model gets LLaVA's own whatever its file says, other models what their files say.
 */
export type ConversationForm = 'file' | 'llava_v1';

/** A turn as evaluators see it: text alone. */
export interface TextTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}
