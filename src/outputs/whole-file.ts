/** Files that are there whole or not at all, also after a loss of power; and the folders that they stand in. */
import type { Stats } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../errors.js';
import { draftOf, sweepDrafts } from './draft.js';
import { type Place, placeOf } from './place.js';
import { refusedCall, unwritable } from './unwritable.js';

/**
 * Writes beside the target, then renames: a reader, and a stop in the middle, meets the old file or the new one. Where the
 * path is a link, the file behind it is written and the link stays. Owner, group and permissions of the old file stay
 * too, as far as they may be given.
 *
 * @param write what it throws is thrown, unless the system refused
 * @param like the file that it takes the place of
 * @throws FileError ERR_FILE_WRITE; UsageError ERR_INVALID_OPTION for a folder, a device or a pipe. No draft is left
 */
export async function writeWhole(
  path: string,
  write: (draft: FileHandle) => Promise<void>,
  like = path,
): Promise<void> {
  const place = await placeOf(path);
  checkPlainFile(place, path);
  const { target } = place;
  await sweepDrafts(dirname(target));
  const draft = draftOf(target);
  try {
    const before = await statOf(like);
    const handle = await open(draft, 'wx', 0o666 & (before?.mode ?? 0o666)); // never open to more, not for a moment
    const finish = async () => {
      if (before !== null) await giveAccess(handle, before);
      await write(handle);
      await handle.sync();
    };
    await finish().catch(async (error: unknown) => {
      await handle.close().catch(() => undefined); // the first failure is the one to tell
      throw error;
    });
    await handle.close();
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw refusedCall(path, cause);
  }
  await syncFolder(dirname(target));
}

/** Null for what is not there. */
async function statOf(path: string): Promise<Stats | null> {
  return await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw cause;
  });
}

/** Owner, group and permissions of another file, as far as we may give them; a group that we may not give gets none. */
async function giveAccess(handle: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await handle.stat();
  const owner = process.getuid?.() === 0 ? uid : own.uid;
  if (own.uid !== owner || own.gid !== gid) await handle.chown(owner, gid).catch(() => undefined);
  const given = await handle.stat();
  const wanted = mode & (given.gid === gid ? 0o777 : 0o707);
  if ((given.mode & 0o777) !== wanted) await handle.chmod(wanted);
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
  if (kind === 'nothing' && /[\\/]$/.test(path)) refuse('ends as a folder does', 'Name a file.');
  if (kind === 'other') refuse('is a device, a pipe or a socket', 'Name a file.');
  if (kind === 'file' && nameCount > 1)
    refuse(
      `has ${nameCount} names (hard links)`,
      'Neither is to be torn from the others nor all to be changed: name another file, or take this name away first.',
    );
}

/**
 * With those above it.
 *
 * @param remedy what to do where it cannot be made
 * @throws FileError ERR_FILE_WRITE
 */
export async function makeFolder(path: string, remedy = 'Name a folder that can be written to.'): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw unwritable(path, cause, remedy);
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
