/** Files out of the cache: their names in the snapshots, and what nothing else of the repository leads to. */
import { readdir, readFile, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { refusedCall } from '../outputs/index.js';
import type { HubFile, Listing } from './listing.js';
import { RepoCache } from './repo-cache.js';

/**
 * Takes the files of a commit away. A blob stays where another snapshot has it.
 *
 * @returns bytes that are free now
 * @throws FileError ERR_FILE_WRITE
 */
export async function removeFiles(folder: string, listing: Listing, files: readonly HubFile[]): Promise<number> {
  const cache = new RepoCache(folder, listing.repo);
  let byteCount = 0;
  for (const file of files) {
    const pointer = cache.snapshotPath(listing.commit, file.path);
    try {
      const blob = await realpath(pointer).catch(() => null);
      const size = await stat(pointer).then(
        (found) => found.size,
        () => 0,
      );
      await rm(pointer, { force: true });
      await rm(cache.partPath(file), { force: true });
      if (blob === null || (await isNamed(cache, blob))) continue;
      await rm(blob, { force: true });
      await rm(cache.blobPath(file), { force: true }); // where the name was a second one and no link
      byteCount += size;
    } catch (error) {
      throw refusedCall(pointer, error);
    }
  }
  await forgetEmpty(cache, listing.commit);
  return byteCount;
}

/** Whether an entry of any snapshot leads to a blob. */
async function isNamed(cache: RepoCache, blob: string): Promise<boolean> {
  const root = join(cache.root, 'snapshots');
  for (const entry of await readdir(root, { recursive: true }).catch(() => []))
    if ((await realpath(join(root, entry)).catch(() => null)) === blob) return true;
  return false;
}

/** A snapshot without files, what refers to it, and the repository itself when nothing is left. */
async function forgetEmpty(cache: RepoCache, commit: string): Promise<void> {
  await removeEmpty(cache.snapshotPath(commit));
  if ((await stat(cache.snapshotPath(commit)).catch(() => null)) !== null) return;
  await rm(join(cache.root, '.eta-vlm', `${commit}.json`), { force: true });
  const refs = join(cache.root, 'refs');
  for (const name of await readdir(refs, { recursive: true }).catch(() => [])) {
    const text = await readFile(join(refs, name), 'utf8').catch(() => '');
    if (text.trim() === commit) await rm(join(refs, name), { force: true });
  }
  for (const name of ['.eta-vlm', 'refs', 'snapshots', 'blobs', ''])
    await removeEmpty(join(cache.root, name)).catch(() => undefined); // another client may be writing
}

/** Folders that hold folders alone. */
async function removeEmpty(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => []))
    if (entry.isDirectory()) await removeEmpty(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined); // it holds something, or was not there
}
