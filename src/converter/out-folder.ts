/** The folder that a conversion writes: what stood in it before, and what a failure leaves in it. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, UsageError } from '../errors.js';
import { describePath } from '../options.js';

/**
 * Names in a folder to write; null where nothing is.
 *
 * @throws UsageError ERR_INVALID_OPTION for what is no folder; FileError ERR_FILE_READ for one that cannot be read
 */
export async function outEntries(path: string): Promise<string[] | null> {
  try {
    return await readdir(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isLink = await lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    if (code === 'ENOENT' && !isLink) return null;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP')
      throw new UsageError(
        'ERR_INVALID_OPTION',
        `out: expected a folder that is new or empty, received ${describePath(path)}, which is ${code === 'ENOTDIR' ? 'none, or lies in a file' : 'a link that leads to none'}. Name another.`,
        { cause },
      );
    throw new FileError(
      'ERR_FILE_READ',
      `Expected to read the folder ${describePath(path)} before it is written, but it failed: ${message}. Name another, or let it be read.`,
      { cause },
    );
  }
}

/**
 * Takes away what a failed conversion left: the folder, if it was not there, or all in it, if it was empty. One that held
 * something stays as it is. Never fails: the conversion's failure is the one to tell.
 *
 * @param before {@link outEntries} before the conversion
 */
export async function takeAway(path: string, before: readonly string[] | null): Promise<void> {
  if (before !== null && before.length > 0) return;
  const begun = before === null ? [path] : (await readdir(path).catch(() => [])).map((name) => join(path, name));
  for (const one of begun) await rm(one, { recursive: true, force: true }).catch(() => undefined);
}
