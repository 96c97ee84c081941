/** What a command reads from stdin. */
import { fstatSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { FileError, UsageError } from '../errors.js';

/** A question beyond this is none. */
const MOST_BYTES = 64 * 2 ** 20;

/** @throws FileError ERR_FILE_READ for a folder, which Node gives as an empty stream */
export function stdin(): Readable {
  if (fstatSync(0).isDirectory())
    throw new FileError('ERR_FILE_READ', 'Expected text on stdin, received a folder. Redirect a file to it.');
  return process.stdin;
}

/** All of it. @throws as {@link stdin}; UsageError ERR_INVALID_REQUEST for too much, or no UTF-8; AbortError */
export async function readStdin(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of addAbortSignal(signal, stdin()) as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    if (byteCount > MOST_BYTES) throw refused(`at most ${MOST_BYTES} bytes on stdin, received more. Shorten the text.`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw refused('UTF-8 on stdin, received bytes that are none. Save the text as UTF-8.', cause);
  }
}

function refused(message: string, cause?: unknown): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `Expected ${message}`, { cause });
}
