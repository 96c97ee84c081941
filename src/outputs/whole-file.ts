/** Files that are there whole or not at all, also after a loss of power; and the folders that they stand in. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../errors.js';
import { type Place, placeOf } from './place.js';
import { isFailedCall, unwritable } from './unwritable.js';

const DRAFT = /^\.[0-9a-f]{12}\.draft$/;

/**
 * Writes beside the target, then renames: a reader, and a stop in the middle, meets the old file or the new one. Where the
 * path is a link, the file behind it is written and the link stays.
 *
 * @param write what it throws is thrown, unless the system refused
 * @throws FileError ERR_FILE_WRITE; UsageError ERR_INVALID_OPTION for a folder, a device or a pipe. No draft is left
 */
export async function writeWhole(path: string, write: (draft: FileHandle) => Promise<void>): Promise<void> {
  const place = await placeOf(path);
  checkPlainFile(place, path);
  const { target } = place;
  const draft = `${target}.${randomBytes(6).toString('hex')}.draft`;
  try {
    const handle = await open(draft, 'wx');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined); // the first failure is the one to tell
    throw isFailedCall(cause) ? unwritable(path, cause) : cause;
  }
  await syncFolder(dirname(target));
}

/** Takes away what killed processes left beside a file. Whoever calls it holds the file's lock. */
export async function removeDrafts(target: string): Promise<void> {
  const [folder, name] = [dirname(target), basename(target)];
  for (const entry of await readdir(folder).catch(() => [])) {
    if (entry.startsWith(name) && DRAFT.test(entry.slice(name.length))) await rm(join(folder, entry), { force: true });
  }
}

/** @throws UsageError ERR_INVALID_OPTION for what is there and is no file of its own */
export function checkPlainFile({ kind, nameCount }: Place, path: string, name = 'The output'): void {
  const refuse = (received: string, remedy: string) => {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `${name}: expected a file, received ${JSON.stringify(path)}, which ${received}. ${remedy}`,
    );
  };
  if (kind === 'folder') refuse('is a folder', 'Name a file.');
  if (kind === 'other') refuse('is a device, a pipe or a socket', 'Name a file.');
  if (kind === 'file' && nameCount > 1)
    refuse(
      `has ${nameCount} names (hard links)`,
      'Neither is to be torn from the others nor all to be changed: name another file, or take this name away first.',
    );
}

/** @throws FileError ERR_FILE_WRITE */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw unwritable(path, cause, 'Name a folder that can be written to.');
  }
}

/** Makes names in a folder last; where a folder cannot be opened (Windows), the system does it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  if (handle === null) return;
  try {
    await handle.sync().catch(() => undefined); // some file systems refuse it for folders
  } finally {
    await handle.close();
  }
}
