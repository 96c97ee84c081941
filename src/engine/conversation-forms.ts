/** How a conversation may be written, by name: for schemas, and for a command line that loads no engine. */
import type { ConversationForm } from '../types/turn.js';

export const CONVERSATION_FORMS: readonly [ConversationForm, ...ConversationForm[]] = ['file', 'llava_v1'];
