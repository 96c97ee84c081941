/** Messages as chat APIs write them, to turns: forms whose meaning is plain are taken, all others named. */
import { UsageError } from '../errors.js';
import { describe, shortened } from '../options.js';
import type { Turn } from '../types/turn.js';
import { type Fields, isFields } from './fields.js';

const ROLES: ReadonlyMap<unknown, Turn['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
]);
const TEXT_PARTS = ['text', 'input_text', 'output_text'];
const PICTURE_PARTS = ['image_url', 'input_image', 'image'];
const READ_PARTS = `expected a part of type ${[...TEXT_PARTS, 'refusal', ...PICTURE_PARTS].join(', ')}`;
/** Where a part of a picture has it. */
const PICTURE_FIELDS = ['image_url', 'image', 'url', 'path', 'source', 'data', 'base64'];
const MEDIA_TYPES = ['media_type', 'mediaType', 'mimeType', 'mime_type'];
/** Fields of a message that change nothing of its answer. */
const PASSED_OVER = ['role', 'content', 'refusal', 'name', 'id', 'type', 'status', 'annotations', 'cache_control'];

interface Content {
  readonly texts: string[];
  readonly images: unknown[];
}

/**
 * Turns of OpenAI's chat completions and their kin. Pictures of a message stand before its text; system messages that
 * follow each other are one.
 *
 * @throws UsageError ERR_INVALID_OPTION that names the message, its part, and what is read
 */
export function turnsOf(messages: unknown): Turn[] {
  if (!Array.isArray(messages)) throw invalid('messages', 'expected an array of messages', messages);
  const turns: Turn[] = [];
  for (const [index, message] of messages.entries()) {
    const turn = turnOf(message, `messages.${index}`);
    const before = turns.at(-1);
    if (turn.role === 'system' && before?.role === 'system')
      turns[turns.length - 1] = { role: 'system', text: `${before.text}\n${turn.text}` };
    else turns.push(turn);
  }
  return turns;
}

function turnOf(message: unknown, place: string): Turn {
  if (!isFields(message)) throw invalid(place, 'expected { role, content }', message);
  const role = ROLES.get(message['role']);
  if (role === undefined)
    throw invalid(`${place}.role`, 'expected system, user or assistant (or developer, for system)', message['role']);
  for (const [name, value] of Object.entries(message)) {
    if (PASSED_OVER.includes(name) || (Array.isArray(value) && value.length === 0)) continue;
    throw invalid(
      `${place}.${shortened(name)}`,
      'expected role and content alone: tools and sound are not read',
      value,
    );
  }
  const { texts, images } = contentOf(message['content'] ?? message['refusal'], `${place}.content`);
  return { role, text: texts.join('\n'), ...(images.length > 0 && { images: images as Turn['images'] & object }) };
}

function contentOf(content: unknown, place: string): Content {
  if (typeof content === 'string') return { texts: [content], images: [] };
  if (Array.isArray(content)) {
    const parts = content.map((part, index) => contentOf(part, `${place}.${index}`));
    return { texts: parts.flatMap(({ texts }) => texts), images: parts.flatMap(({ images }) => images) };
  }
  if (!isFields(content)) throw invalid(place, 'expected a text, or an array of parts', content);
  const { type } = content;
  if (type === 'refusal') return { texts: [textOf(content['refusal'], `${place}.refusal`)], images: [] };
  if (isOneOf(TEXT_PARTS, type)) return { texts: [textOf(content['text'], `${place}.text`)], images: [] };
  if (isOneOf(PICTURE_PARTS, type)) return { texts: [], images: [pictureOf(content, place)] };
  throw invalid(`${place}.type`, READ_PARTS, type);
}

const isOneOf = (names: readonly string[], type: unknown) => typeof type === 'string' && names.includes(type);

function textOf(text: unknown, place: string): string {
  if (typeof text === 'string') return text;
  throw invalid(place, 'expected a text', text);
}

/** Of `{ image_url: { url } }`, `{ image_url }`, `{ image }`, `{ source: { data, media_type } }` and their like. */
function pictureOf(part: Fields, place: string): string {
  const [name, ...others] = PICTURE_FIELDS.filter((field) => part[field] !== undefined);
  if (name === undefined)
    throw invalid(place, `expected a picture in one of ${PICTURE_FIELDS.join(', ')}`, withoutPicture(part));
  if (others.length > 0) throw invalid(place, 'expected one picture', `${name} and ${others.join(' and ')}`);
  const value = part[name];
  if (isFields(value)) return pictureOf(value, `${place}.${name}`);
  if (typeof value !== 'string' || value === '') throw invalid(`${place}.${name}`, 'expected a picture', value);
  if ((name !== 'data' && name !== 'base64') || /^data:/i.test(value)) return value;
  const type = MEDIA_TYPES.map((field) => part[field]).find((found) => typeof found === 'string');
  return `data:${type ?? 'image/*'};base64,${value}`;
}

/** Such as the id of a file that somebody else keeps. */
function withoutPicture(part: Fields): string {
  return `${shortened(Object.keys(part).join(', '))} alone`;
}

function invalid(place: string, expected: string, received: unknown): UsageError {
  return new UsageError('ERR_INVALID_OPTION', `request: ${place}: ${expected}; received ${describe(received)}.`);
}
