/** Conversations and answers as files. */
import type { Conversation } from './conversation.svelte.js';

/** A conversation with everything that was found; each `result` is what `eta-vlm ask --trace` writes. */
export function conversationFile(conversation: Conversation): string {
  const { exchanges } = conversation.toKept();
  const file = {
    format: 'eta-vlm/conversation',
    version: 1,
    exportedAt: new Date().toISOString(),
    exchanges: exchanges.map(({ question, pictures, options, status, text, result, failure }) => ({
      question,
      pictures: pictures.map(({ name, dataUrl }) => ({ name, dataUrl })),
      options,
      status,
      text,
      result,
      failure,
    })),
  };
  return jsonText(file);
}

/** As the command line writes its files. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Gives the user a file to save. */
export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name with the time, as a file may have it. */
export function fileName(what: string): string {
  return `eta-vlm-${what}-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.json`;
}
