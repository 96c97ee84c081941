/** A stream of a file, a pipe or a terminal whose waiting holds nothing: whoever stops reading is free at once. */
import { constants, createReadStream, open } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';

/**
 * A pipe is opened without waiting for its writer, and read as it fills: a thread that waits in a read would hold the
 * process until somebody writes, whatever signal comes.
 *
 * @throws what opening throws
 */
export async function openRequests(path: string): Promise<Readable> {
  const found = await stat(path);
  if (found.isFIFO()) return new Socket({ fd: await descriptor(path), readable: true, writable: false });
  if (!found.isCharacterDevice()) return createReadStream(path, { highWaterMark: 2 ** 18 });
  const fd = await descriptor(path);
  return isatty(fd) ? new ReadStream(fd) : createReadStream(path, { fd, highWaterMark: 2 ** 18 });
}

/** Of a file that its stream closes. */
async function descriptor(path: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    open(path, constants.O_RDONLY | constants.O_NONBLOCK, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });
}
