/** Files that are read whole. Of a pipe or a device, opening and reading may wait for ever, and hold the process with them. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { FileError, throwIfAborted } from './errors.js';
import { describePath } from './options.js';

/**
 * The bytes of a file. A folder fails as `readFile` has it.
 *
 * @throws FileError ERR_FILE_READ for a pipe, a device or a socket; what `readFile` throws
 */
export async function readRegular(path: string, signal?: AbortSignal): Promise<Buffer> {
  await checkRegular(path);
  return await readFile(path, { signal });
}

/** As {@link readRegular}, as text. */
export async function readRegularText(path: string): Promise<string> {
  return (await readRegular(path)).toString('utf8');
}

/** @throws FileError ERR_FILE_READ for a pipe, a device or a socket; what `stat` throws */
export async function checkRegular(path: string): Promise<void> {
  const found = await stat(path);
  if (found.isFile() || found.isDirectory()) return;
  const kind = found.isFIFO() ? 'a pipe' : found.isSocket() ? 'a socket' : 'a device';
  throw new FileError(
    'ERR_FILE_READ',
    `Expected a regular file at ${describePath(path)}, received ${kind}. Write what it gives into a file first.`,
  );
}

/**
 * SHA-256 of a file of any size, in hexadecimal; the event loop gets its turn between blocks.
 *
 * @throws as {@link checkRegular}; AbortError
 */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  await checkRegular(path);
  const hash = createHash('sha256');
  for await (const block of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    throwIfAborted(signal);
    hash.update(block as Buffer);
  }
  return hash.digest('hex');
}

/** Whether anything is at a path that can be looked at. */
export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** Why a file could not be read, in a few words. */
export function whyUnread(cause: unknown): string {
  return cause instanceof FileError ? 'it is no regular file' : String((cause as NodeJS.ErrnoException).code);
}
