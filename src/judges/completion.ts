/** Bodies of an OpenAI-compatible server: a chat completion, or what went wrong. */
import { z } from 'zod';
import { parsedJson } from '../json.js';
import type { Reply } from './chat-model.js';
import { oneLine } from './judge.js';

/** A reply of a judge is a few kilobytes; of a body beyond this no more is read. */
const MAX_BODY_BYTES = 2 * 2 ** 20;
const SHOWN = 160;

type Part = { readonly type: string; readonly text?: string };

/** Looked through by hand: there may be hundreds of thousands. */
const isParts = (value: unknown): value is readonly Part[] =>
  Array.isArray(value) &&
  value.every(
    (part: Partial<Part> | null) =>
      typeof part?.type === 'string' && ['string', 'undefined'].includes(typeof part.text),
  );

const choiceSchema = z.object({
  finish_reason: z.string().nullish(),
  message: z.object({
    content: z.union([z.string(), z.null(), z.custom<readonly Part[]>(isParts)]).optional(),
    refusal: z.string().nullish(),
  }),
});

/** Only what is read; servers send more, of it all choices but the first. */
const completionSchema = z
  .object({ choices: z.custom<readonly unknown[]>(Array.isArray) })
  .transform(({ choices }) => choices[0])
  .pipe(choiceSchema);

const errorSchema = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/** What was read of an answer. */
export interface Body {
  readonly text: string;
  readonly isWhole: boolean;
}

/** The reply in a body, or what is wrong with it. An empty text is a reply: what it means is the judge's affair. */
export function completionOf({ text: body, isWhole }: Body): Reply | string {
  if (!isWhole)
    return `it answers with more than ${MAX_BODY_BYTES} bytes: expected the JSON of a chat completion, received ${shown(body)}`;
  const value = parsedJson(body);
  if (value === undefined) return `expected the JSON of a chat completion, received ${shown(body)}`;
  const error = errorSchema.safeParse(value);
  if (error.success) return `it answers with an error: ${errorTextOf(body)}`;
  const completion = completionSchema.safeParse(value);
  if (!completion.success) return `expected a chat completion with choices[0].message, received ${shown(body)}`;
  const { finish_reason: ending, message } = completion.data;
  const { content, refusal } = message;
  const text =
    typeof content === 'object' && content !== null
      ? content.map((part) => part.text ?? '').join('')
      : (content ?? refusal ?? '');
  return { text, isCutOff: ending === 'length' };
}

/** What an error body says, in one line. */
export function errorTextOf(body: string): string {
  const error = errorSchema.safeParse(parsedJson(body));
  if (!error.success) return shown(body);
  const text = typeof error.data.error === 'string' ? error.data.error : error.data.error.message;
  return JSON.stringify(oneLine(text, SHOWN));
}

/** The body as text; of one beyond {@link MAX_BODY_BYTES} the beginning, and the connection is closed. */
export async function readLimited(response: Response): Promise<Body> {
  if (response.body === null) return { text: '', isWhole: true };
  const decoder = new TextDecoder();
  let text = '';
  let byteCount = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    byteCount += chunk.byteLength;
    if (byteCount > MAX_BODY_BYTES) return { text, isWhole: false }; // leaving the loop closes the connection
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), isWhole: true };
}

function shown(body: string): string {
  if (body.trim() === '') return 'nothing';
  const what = /^\s*<(?:!doctype|html|head|body)/i.test(body) ? 'HTML ' : '';
  return `${what}${JSON.stringify(oneLine(body, SHOWN))}`;
}
