/** Files that are there whole or not at all, also after a loss of power. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes beside the target, then renames. What a killed process leaves beside it, the next one overwrites. */
export async function writeWhole(path: string, write: (draft: FileHandle) => Promise<void>): Promise<void> {
  const draft = `${path}.draft`;
  try {
    const handle = await open(draft, 'w');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
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
