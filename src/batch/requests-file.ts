/** Requests from a file, a folder or a stream, read as they are needed. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { AbortError, FileError, UsageError } from '../errors.js';
import { describe, describePath } from '../options.js';
import { checkRegular } from '../regular-file.js';
import { openTable, separatedTable, tableKindOf } from '../tables/index.js';
import { Turns } from '../turns.js';
import type { BatchRequest, RefusedRequest } from './answer-line.js';
import { checkMap, type FieldMap } from './columns.js';
import type { RequestsFormat, StreamedFormat } from './formats.js';
import { readLines } from './line-reader.js';
import { openRequests } from './open-requests.js';
import { MAX_REQUEST_BYTES, parseRequestLine, type Reading } from './request-line.js';
import { isInShard, type Shard } from './shard.js';
import { checkTable, countRows, requestsOfTable, type TableReading } from './table-requests.js';

/** What of the requests is read, and how. */
export interface ReadingOptions {
  /** How they are written. @default by the ending of the name; a folder is a data set; otherwise `jsonl` */
  format?: RequestsFormat | undefined;
  /**
   * Field of a request to the column, or field of a line, that holds it, such as `{ prompt: 'question', image: 'img' }`.
   * What it does not name is passed over, but for the id. @default columns and fields go by their own names, and a name that is not
   * known is refused
   */
  map?: FieldMap | undefined;
  /** What paths of pictures start from. @default the folder of the file, or the one that is read */
  imageRoot?: string | undefined;
  /** Of a folder that holds several: which one. @default its only one */
  split?: string | undefined;
}

/** What `readRequests` takes beside the path. */
export interface RequestsOptions extends ReadingOptions {
  /** Which part of the requests is wanted. @default all */
  shard?: Shard | undefined;
  /** Ends the reading with an AbortError. */
  signal?: AbortSignal | undefined;
}

/** What `requestsOf` takes beside the stream. */
export interface StreamedRequestsOptions extends Pick<RequestsOptions, 'shard' | 'signal' | 'map'> {
  /** What messages call the stream, such as "stdin". */
  what: string;
  /** What paths of pictures start from. */
  folder: string;
  /** How they are written. @default 'jsonl' */
  format?: StreamedFormat | undefined;
}

/**
 * The requests of a file or a folder, in order. What is no request comes as its refusal; blank lines are passed over. A row
 * without an id is called after its number: `row-17`.
 *
 * @throws FileError ERR_FILE_READ, ERR_FILE_INVALID; UsageError ERR_COLUMNS, ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION; AbortError
 */
export async function* readRequests(
  path: string,
  options: RequestsOptions = {},
): AsyncGenerator<BatchRequest | RefusedRequest, void> {
  const { shard, signal, map } = options;
  await checkReadable(path, options);
  const kind = await formatOf(path, options);
  const what = describePath(path);
  const folder = resolve(options.imageRoot ?? (kind === 'folder' ? path : dirname(path)));
  if (kind === 'jsonl') yield* requestsOf(await openRequests(path), { what, folder, shard, signal, map });
  else {
    const table = await openTable(path, kind, options.split ?? null);
    yield* ofShard(guarded(requestsOfTable(table, { map, folder, what, signal }), what, signal), shard);
  }
}

/** As {@link readRequests}, from a stream such as stdin. */
export async function* requestsOf(
  stream: Readable,
  { what, folder, shard, signal, map, format = 'jsonl' }: StreamedRequestsOptions,
): AsyncGenerator<BatchRequest | RefusedRequest, void> {
  const source: AsyncIterable<Uint8Array> = signal === undefined ? stream : addAbortSignal(signal, stream);
  const requests =
    format === 'jsonl'
      ? requestsOfLines(source, { folder, map }, signal)
      : requestsOfRows(source, format, { what, folder, map, signal });
  yield* ofShard(guarded(requests, what, signal), shard);
}

async function* requestsOfLines(source: AsyncIterable<Uint8Array>, reading: Reading, signal: AbortSignal | undefined) {
  const turns = new Turns(signal);
  if (reading.map !== undefined) checkMap(reading.map);
  for await (const line of readLines(source, MAX_REQUEST_BYTES)) {
    if (turns.isDue) await turns.give();
    if (!isBlank(line.bytes)) yield parseRequestLine(line, reading);
  }
}

async function* requestsOfRows(source: AsyncIterable<Uint8Array>, format: 'csv' | 'tsv', reading: TableReading) {
  const table = await separatedTable(source, format, reading.what, async () => undefined);
  yield* requestsOfTable(table, reading);
}

async function* ofShard<Request extends BatchRequest | RefusedRequest>(
  requests: AsyncIterable<Request>,
  shard: Shard | undefined,
): AsyncGenerator<Request, void> {
  for await (const request of requests) if (shard === undefined || isInShard(request, shard)) yield request;
}

/** What the system says of a file, as ours says it. */
async function* guarded<Request>(
  requests: AsyncIterable<Request>,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Request, void> {
  try {
    yield* requests;
  } catch (cause) {
    if (signal?.aborted) throw new AbortError(signal);
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new FileError('ERR_FILE_READ', `Expected to read ${what}, but it failed: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

/** How the requests of a path are written: as is said, or by its name. */
export async function formatOf(path: string, { format }: Pick<ReadingOptions, 'format'>): Promise<RequestsFormat> {
  return format ?? (await tableKindOf(path)) ?? 'jsonl';
}

/**
 * How many requests there are to come, for telling how far a batch is.
 *
 * @throws what reading throws; FileError ERR_FILE_READ for a pipe, whose requests counting would take away; AbortError
 */
export async function countRequests(path: string, options: ReadingOptions = {}, signal?: AbortSignal): Promise<number> {
  await checkRegular(path);
  const kind = await formatOf(path, options);
  return kind === 'jsonl'
    ? await countLines(path, signal)
    : await countRows({ path, kind, split: options.split }, signal);
}

/** Lines of a file that are not empty. */
async function countLines(path: string, signal: AbortSignal | undefined): Promise<number> {
  let count = 0;
  let length = 0; // of the line so far, carriage returns apart
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, signal }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      length += at - from - (at > from && chunk[at - 1] === 0x0d ? 1 : 0);
      if (length > 0) count++;
      length = 0;
      from = at + 1;
    }
    length += chunk.length - from;
  }
  return count + (length > 0 ? 1 : 0);
}

/**
 * Refuses early what reading would refuse: what is not there, a table whose columns are no requests, a map that does not fit
 * it.
 *
 * @throws as {@link readRequests}
 */
export async function checkReadable(path: string, options: ReadingOptions = {}): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new FileError(
      'ERR_FILE_READ',
      cause.code === 'ENOENT'
        ? `Expected a file of requests at ${describePath(path)}, found none. Check the path.`
        : `Expected a file of requests at ${describePath(path)}, which cannot be reached: ${cause.message}.`,
      { cause },
    );
  });
  if (options.map !== undefined) checkMap(options.map);
  await checkImageRoot(options.imageRoot);
  const kind = await formatOf(path, options);
  if (found.isDirectory() !== (kind === 'folder'))
    throw new FileError(
      'ERR_FILE_READ',
      found.isDirectory()
        ? `Expected a file of requests, received the folder ${describePath(path)}.`
        : `Expected the folder of a data set, received the file ${describePath(path)}.`,
    );
  if (kind !== 'folder' && options.split !== undefined)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `split: expected none, because ${describePath(path)} is no folder of a data set; received ${describe(options.split)}.`,
    );
  if (kind !== 'jsonl') await checkTable({ path, kind, split: options.split }, options.map, describePath(path));
}

/** Refuses early a folder of pictures that is not there. @throws UsageError ERR_INVALID_OPTION */
export async function checkImageRoot(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory() === true) return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `imageRoot: expected a folder, received ${describePath(folder)}, which is ${found === null ? 'not there' : 'none'}.`,
  );
}

function isBlank(bytes: Uint8Array | null): boolean {
  return bytes !== null && bytes.length < 64 && bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
