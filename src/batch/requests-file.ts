/** A file of requests, one JSON object a line, read as it is needed. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { AbortError, FileError } from '../errors.js';
import { describePath } from '../options.js';
import { Turns } from '../turns.js';
import type { BatchRequest, RefusedRequest } from './answer-line.js';
import { readLines } from './line-reader.js';
import { openRequests } from './open-requests.js';
import { MAX_REQUEST_BYTES, parseRequestLine } from './request-line.js';
import { isInShard, type Shard } from './shard.js';

/** What `readRequests` takes beside the path. */
export interface RequestsOptions {
  /** Which part of the requests is wanted. @default all */
  shard?: Shard | undefined;
  /** Ends the reading with an AbortError. */
  signal?: AbortSignal | undefined;
}

/** What `requestsOf` takes beside the stream. */
export interface StreamedRequestsOptions extends RequestsOptions {
  /** What messages call the stream, such as "stdin". */
  what: string;
  /** What paths of pictures start from. */
  folder: string;
}

/**
 * The requests of a file, in order. A line that is no request comes as its refusal; blank lines are passed over. Paths of
 * pictures start from the file's folder.
 *
 * @throws FileError ERR_FILE_READ; AbortError
 */
export async function* readRequests(
  path: string,
  { shard, signal }: RequestsOptions = {},
): AsyncGenerator<BatchRequest | RefusedRequest, void> {
  await checkReadable(path);
  const stream = await openRequests(path);
  yield* requestsOf(stream, { what: describePath(path), folder: dirname(resolve(path)), shard, signal });
}

/** As {@link readRequests}, from a stream such as stdin. */
export async function* requestsOf(
  stream: Readable,
  { what, folder, shard, signal }: StreamedRequestsOptions,
): AsyncGenerator<BatchRequest | RefusedRequest, void> {
  const turns = new Turns(signal);
  const source: AsyncIterable<Uint8Array> = signal === undefined ? stream : addAbortSignal(signal, stream);
  try {
    for await (const line of readLines(source, MAX_REQUEST_BYTES)) {
      if (turns.isDue) await turns.give();
      if (isBlank(line.bytes)) continue;
      const request = parseRequestLine(line, folder);
      if (shard === undefined || isInShard(request, shard)) yield request;
    }
  } catch (cause) {
    if (signal?.aborted) throw new AbortError(signal);
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new FileError('ERR_FILE_READ', `Expected to read ${what}, but it failed: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

/** Lines of a file that are not empty: how many requests there are, for telling how far a batch is. */
export async function countLines(path: string, signal?: AbortSignal): Promise<number> {
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

/** @throws FileError ERR_FILE_READ for what is no file that can be read */
export async function checkReadable(path: string): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new FileError(
      'ERR_FILE_READ',
      cause.code === 'ENOENT'
        ? `Expected a file of requests at ${describePath(path)}, found none. Check the path.`
        : `Expected a file of requests at ${describePath(path)}, which cannot be reached: ${cause.message}.`,
      { cause },
    );
  });
  if (!found.isDirectory()) return;
  throw new FileError('ERR_FILE_READ', `Expected a file of requests, received the folder ${describePath(path)}.`);
}

function isBlank(bytes: Uint8Array | null): boolean {
  return bytes !== null && bytes.length < 64 && bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
