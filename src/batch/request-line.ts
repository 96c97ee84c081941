/** One line of a requests file to a request, or to the error that stands in its place. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import type { EtaRequest } from '../eta/index.js';
import { describe, parseOptions } from '../options.js';
import type { Turn } from '../types.js';
import { type BatchRequest, lineError, type RefusedRequest } from './answer-line.js';
import { digestOf } from './digest.js';
import type { ByteLine } from './line-reader.js';

/** A line of requests may hold several pictures as data: URLs, but not more than this. */
export const MAX_REQUEST_BYTES = 64 * 2 ** 20;

const TEXT = 'expected a text';
const partSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('text'), text: z.string(TEXT) }),
    z.strictObject({
      type: z.literal('image_url'),
      image_url: z.union(
        [z.string(), z.looseObject({ url: z.string() }).transform(({ url }) => url)],
        'expected { url } or a text',
      ),
    }),
  ],
  "expected a part of type 'text' or 'image_url'",
);
/** As in OpenAI's chat completions. */
const messagesSchema = z.strictObject({
  messages: z.array(
    z.strictObject({
      role: z.enum(['system', 'user', 'assistant'], 'expected system, user or assistant'),
      content: z.union([z.string(), z.array(partSchema)], 'expected a text, or an array of parts'),
    }),
    'expected an array of messages',
  ),
});

type Fields = Readonly<Record<string, unknown>>;
type Line = BatchRequest | RefusedRequest;

/** @param folder what paths of pictures start from */
export function parseRequestLine({ number, bytes, byteCount }: ByteLine, folder: string): Line {
  if (bytes === null) {
    const message = `Expected a line of at most ${MAX_REQUEST_BYTES} bytes, received one of ${byteCount}. Name pictures by their paths.`;
    return refused(number, null, digestOf(byteCount), new UsageError('ERR_INVALID_LINE', message));
  }
  let id: string | null = null;
  let digest = '';
  try {
    const fields = parseObject(bytes);
    const { id: given, ...rest } = fields;
    digest = digestOf(rest);
    id = readId(given, number);
    return { id, line: number, digest, request: readRequest(rest, folder) };
  } catch (error) {
    return refused(number, id, digest === '' ? digestOf(bytes) : digest, error);
  }
}

function refused(line: number, id: string | null, digest: string, error: unknown): RefusedRequest {
  // of a line that is nested thousands deep, JSON or digest exhaust the stack
  const told =
    error instanceof RangeError
      ? invalid('expected one JSON object, received one that is nested too deep', error)
      : error;
  return { id, line, digest, error: lineError(told) };
}

function parseObject(bytes: Uint8Array): Fields {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes); // takes a byte order mark away
  } catch (cause) {
    throw invalid('expected UTF-8, received bytes that are none. Save the file as UTF-8', cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(`expected one JSON object, received ${describe(text)} (${(cause as Error).message})`, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(`expected one JSON object, received ${describe(value)}`);
}

/** A line without an id is called after its place. */
function readId(id: unknown, line: number): string {
  if (id === undefined) return `line-${line}`;
  if (typeof id === 'string' && id !== '') return id;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id);
  throw invalid(`id: expected a text that is not empty, or an integer; received ${describe(id)}`);
}

/** What is left to check, `respond` checks. */
function readRequest(fields: Fields, folder: string): Omit<EtaRequest, 'signal'> {
  const { messages, ...rest } = fields;
  if ('signal' in rest) throw new UsageError('ERR_UNKNOWN_OPTION', "request: unknown option 'signal'.");
  const request: Record<string, unknown> = { ...rest };
  if (messages !== undefined) {
    if ('turns' in rest) throw invalid('turns: expected turns or messages, received both');
    request['turns'] = turnsOf(messages);
  }
  if ('image' in request) request['image'] = located(request['image'], folder);
  if (Array.isArray(request['images'])) request['images'] = request['images'].map((image) => located(image, folder));
  if (Array.isArray(request['turns'])) {
    request['turns'] = request['turns'].map((turn: Fields | null) =>
      Array.isArray(turn?.['images'])
        ? { ...turn, images: turn['images'].map((image: unknown) => located(image, folder)) }
        : turn,
    );
  }
  return request as Omit<EtaRequest, 'signal'>;
}

function turnsOf(messages: unknown): Turn[] {
  const parsed = parseOptions(messagesSchema, { messages }, 'request');
  return parsed.messages.map(({ role, content }) => {
    if (typeof content === 'string') return { role, text: content };
    const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
    const images = content.flatMap((part) => (part.type === 'image_url' ? [part.image_url] : []));
    return { role, text, ...(images.length > 0 && { images }) };
  });
}

/** A path from where its file stands; a URL as it is. */
function located(image: unknown, folder: string): unknown {
  if (typeof image !== 'string') {
    throw invalid(`image: expected a path, or a file: or data: URL; received ${describe(image)}`);
  }
  return image === '' || /^(data|file|https?):/i.test(image) ? image : resolve(folder, image);
}

function invalid(message: string, cause?: unknown): UsageError {
  return new UsageError('ERR_INVALID_LINE', `request: ${message}.`, { cause });
}
