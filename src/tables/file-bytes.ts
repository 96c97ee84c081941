/** Pieces of a file, read where they are needed. */
import { type FileHandle, open } from 'node:fs/promises';
import { FileError } from '../errors.js';
import { describePath } from '../options.js';
import { checkRegular } from '../regular-file.js';

export class FileBytes {
  /** As a message calls it. */
  readonly what: string;
  readonly byteLength: number;
  readonly #handle: FileHandle;
  #closed: Promise<void> | undefined;

  private constructor(what: string, byteLength: number, handle: FileHandle) {
    this.what = what;
    this.byteLength = byteLength;
    this.#handle = handle;
  }

  /** @throws FileError ERR_FILE_READ */
  static async open(path: string): Promise<FileBytes> {
    const what = describePath(path);
    try {
      await checkRegular(path);
      const handle = await open(path, 'r');
      return new FileBytes(what, (await handle.stat()).size, handle);
    } catch (cause) {
      throw unreadable(what, cause);
    }
  }

  /**
   * Bytes of a place, in memory of their own; fewer at the end of the file.
   *
   * @throws FileError ERR_FILE_READ
   */
  async read(start: number, byteCount: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(Math.max(0, Math.min(byteCount, this.byteLength - start)));
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await this.#handle
        .read(bytes, length, bytes.length - length, start + length)
        .catch((cause: unknown) => {
          throw unreadable(this.what, cause);
        });
      if (bytesRead === 0) break; // it was cut meanwhile
      length += bytesRead;
    }
    return length < bytes.length ? bytes.slice(0, length) : bytes;
  }

  close(): Promise<void> {
    this.#closed ??= this.#handle.close();
    return this.#closed;
  }
}

function unreadable(what: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  return new FileError(
    'ERR_FILE_READ',
    code === 'ENOENT'
      ? `Expected a file at ${what}, found none. Check the path.`
      : `Expected to read ${what}, but it failed: ${message}.`,
    { cause },
  );
}
