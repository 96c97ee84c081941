/** Bodies of an OpenAI-compatible server: a chat completion, or what went wrong. */
import { z } from 'zod';
import type { Reply } from './chat-model.js';
import { oneLine } from './judge.js';

/** A reply of a judge is a few kilobytes. */
const MAX_BODY_BYTES = 4 * 2 ** 20;
const SHOWN = 160;

const contentSchema = z.union([
  z.string(),
  z.null(),
  z.array(z.object({ type: z.string(), text: z.string().optional() })),
]);

/** Only what is read; servers send more. */
const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: contentSchema.optional(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
});

const errorSchema = z.object({ error: z.union([z.string(), z.object({ message: z.string() })]) });

/** The reply in a body, or what is wrong with it. An empty text is a reply: what it means is the judge's affair. */
export function completionOf(body: string): Reply | string {
  const value = parsed(body);
  if (value === undefined) return `expected the JSON of a chat completion, received ${shown(body)}`;
  const error = errorSchema.safeParse(value);
  if (error.success) return `it answers with an error: ${errorTextOf(body)}`;
  const completion = completionSchema.safeParse(value);
  if (!completion.success) return `expected a chat completion with choices[0].message, received ${shown(body)}`;
  const [choice] = completion.data.choices;
  const { content, refusal } = choice?.message ?? {};
  const text = Array.isArray(content) ? content.map((part) => part.text ?? '').join('') : (content ?? refusal ?? '');
  return { text, isCutOff: choice?.finish_reason === 'length' };
}

/** What an error body says, in one line. */
export function errorTextOf(body: string): string {
  const error = errorSchema.safeParse(parsed(body));
  if (!error.success) return shown(body);
  const text = typeof error.data.error === 'string' ? error.data.error : error.data.error.message;
  return JSON.stringify(oneLine(text, SHOWN));
}

/** The body as text; a larger one is cut, and will not parse. */
export async function readLimited(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let byteCount = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    byteCount += chunk.byteLength;
    text += decoder.decode(chunk, { stream: true });
    if (byteCount > MAX_BODY_BYTES) break; // leaving the loop closes the connection
  }
  return text + decoder.decode();
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // the caller says what came instead
  }
}

function shown(body: string): string {
  if (body.trim() === '') return 'nothing';
  const what = /^\s*<(?:!doctype|html|head|body)/i.test(body) ? 'HTML ' : '';
  return `${what}${JSON.stringify(oneLine(body, SHOWN))}`;
}
