/** One line of a requests file, or row of a table, to a request, or to the error that stands in its place. */
import { resolve } from 'node:path';
import { type Fields, holdsMoreValues, isFields, MOST_VALUES, turnsOf, withoutNulls } from '../chat-form/index.js';
import { UsageError } from '../errors.js';
import { checkCounts, type EtaRequest } from '../eta/index.js';
import { describe } from '../options.js';
import { picturePath } from '../outputs/index.js';
import { pictureOf, type TableRow } from '../tables/index.js';
import { type BatchRequest, lineError, type RefusedRequest } from './answer-line.js';
import { fieldsOf } from './cell-values.js';
import { type Column, type FieldMap, mappedFields } from './columns.js';
import { digestOf } from './digest.js';
import { idOf, ownFields } from './line-forms.js';
import type { ByteLine } from './line-reader.js';

/** A line of requests may hold several pictures as data: URLs, but not more than this. */
export const MAX_REQUEST_BYTES = 64 * 2 ** 20;

/** Of an id, in characters: what names a line, not what is in it. */
const MAX_ID_LENGTH = 1024;

type Line = BatchRequest | RefusedRequest;

/** How lines and rows are read. */
export interface Reading {
  /** What paths of pictures start from. */
  readonly folder: string;
  /** Of lines, which field stands for what; of rows, {@link Column columns} say it. @default as they are called */
  readonly map?: FieldMap | undefined;
}

export function parseRequestLine({ number, bytes, byteCount }: ByteLine, { folder, map }: Reading): Line {
  if (bytes === null) {
    const message = `Expected a line of at most ${MAX_REQUEST_BYTES} bytes, received one of ${byteCount}. Name pictures by their paths.`;
    return refused(number, null, digestOf(byteCount), new UsageError('ERR_INVALID_LINE', message));
  }
  const read = () => {
    const fields = parseObject(bytes, number);
    return map === undefined ? fields : mappedFields(fields, map);
  };
  return requestOf(read, { number, name: 'line', folder, otherwise: () => digestOf(bytes) });
}

/** A row of a table, whose columns were looked at. */
export function parseRequestRow(
  { number, values, problem }: TableRow,
  columns: readonly Column[],
  folder: string,
): Line {
  if (problem !== null) return refused(number, null, digestOf(problem), invalid(problem));
  const cellOf = (column: string) => (Object.hasOwn(values, column) ? values[column] : undefined);
  const read = () => fieldsOf(columns.map(({ column, field }) => [field, cellOf(column)] as const));
  return requestOf(read, { number, name: 'row', folder, otherwise: () => digestOf(number) });
}

interface Place {
  readonly number: number;
  /** What one without an id is called after, with its number. */
  readonly name: 'line' | 'row';
  readonly folder: string;
  /** The digest of what cannot be read. */
  otherwise(): string;
}

function requestOf(read: () => Fields, { number, name, folder, otherwise }: Place): Line {
  let id: string | null = null;
  let digest = '';
  try {
    const fields = read();
    const { id: _id, custom_id: _custom, question_id: _question, ...asked } = fields;
    digest = digestOf(asked);
    id = readId(idOf(fields), `${name}-${number}`);
    return { id, line: number, digest, request: readRequest(ownFields(fields), folder) };
  } catch (error) {
    return refused(number, id, digest === '' ? otherwise() : digest, error);
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

/** Names with commas, semicolons or tabs between them: the header of a table. */
const TABLE_HEADER = /^\ufeff?"?[\p{L}_][^{}[\]:,;\t]*[,;\t]/u;

/** Another object behind a carriage return that no newline follows. */
const BARE_RETURN = /\r[ \t]*\{/;

function parseObject(bytes: Uint8Array, number: number): Fields {
  if (holdsMoreValues(bytes, MOST_VALUES))
    throw invalid(`expected at most ${MOST_VALUES} values in a line, received more. Shorten the conversation`);
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
    const received = `${describe(text)} (${(cause as Error).message})`;
    throw invalid(`expected one JSON object, received ${received}${hintOf(text, number)}`, cause);
  }
  if (isFields(value)) return withoutNulls(value) as Fields;
  throw invalid(`expected one JSON object, received ${describe(value)}`);
}

/** What a line that is no JSON may be instead. */
function hintOf(text: string, number: number): string {
  if (number === 1 && TABLE_HEADER.test(text)) return ". Read a table with format: 'csv'";
  return BARE_RETURN.test(text) ? '. Its lines seem to end in CR alone: save the file with LF or CRLF' : '';
}

/** @param otherwise what one without an id is called */
function readId(id: unknown, otherwise: string): string {
  if (id === undefined) return otherwise;
  if (typeof id === 'string' && id.length > MAX_ID_LENGTH)
    throw invalid(`id: expected at most ${MAX_ID_LENGTH} characters, received ${id.length}: ${describe(id)}`);
  if (typeof id === 'string' && id !== '') return id;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id);
  throw invalid(`id: expected a text that is not empty, or an integer; received ${describe(id)}`);
}

/** What is left to check, `respond` checks. */
function readRequest(fields: Fields, folder: string): EtaRequest {
  const { messages, ...rest } = fields;
  if ('signal' in rest) throw new UsageError('ERR_UNKNOWN_OPTION', "request: unknown option 'signal'.");
  const request: Record<string, unknown> = { ...rest };
  if (messages !== undefined) {
    if ('turns' in rest) throw invalid('turns: expected turns or messages, received both');
    if (Array.isArray(messages)) checkCounts({ turns: messages });
    request['turns'] = turnsOf(messages);
  }
  checkCounts(request);
  const all = (name: string, images: readonly unknown[]) =>
    images.map((image, index) => located(`${name}.${index}`, image, folder));
  if ('image' in request) request['image'] = located('image', request['image'], folder);
  if (Array.isArray(request['images'])) request['images'] = all('images', request['images']);
  if (Array.isArray(request['turns'])) {
    request['turns'] = request['turns'].map((turn: Fields | null, index) =>
      Array.isArray(turn?.['images']) ? { ...turn, images: all(`turns.${index}.images`, turn['images']) } : turn,
    );
  }
  return request as unknown as EtaRequest;
}

/** A path from where its file stands; a URL and bytes as they are. */
function located(name: string, image: unknown, folder: string): unknown {
  const picture = pictureOf(image);
  if (picture === null)
    throw invalid(
      `${name}: expected a path, a file: or data: URL, base64, or { bytes, path } with one of the two; received ${describe(image)}`,
    );
  if ('bytes' in picture) return picture.bytes;
  const { path } = picture;
  return picturePath(path) === path ? resolve(folder, path) : path;
}

function invalid(message: string, cause?: unknown): UsageError {
  return new UsageError('ERR_INVALID_LINE', `request: ${message}.`, { cause });
}
