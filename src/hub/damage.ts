/** Files that lie in the cache and are not what the hub announced: a disk, a tool or a person changed them since. */
import { createReadStream } from 'node:fs';
import { throwIfAborted } from '../errors.js';
import { hashFor } from './blob.js';
import type { HubFile, Listing } from './listing.js';
import { RepoCache } from './repo-cache.js';

interface DamageOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of each file before it is read. */
  readonly onFile?: ((path: string) => void) | undefined;
}

/** Those of the files that are there, as long as they should be, and hold other bytes. Each is read whole. @throws AbortError */
export async function damagedFiles(
  folder: string,
  { repo, commit }: Listing,
  files: readonly HubFile[],
  { signal, onFile }: DamageOptions,
): Promise<HubFile[]> {
  const cache = new RepoCache(folder, repo);
  const damaged: HubFile[] = [];
  for (const file of files) {
    throwIfAborted(signal);
    const isPlaced = await cache.has(commit, file);
    if (!isPlaced && !(await cache.hasBlob(file))) continue;
    onFile?.(file.path);
    const hash = hashFor(file);
    const path = isPlaced ? cache.snapshotPath(commit, file.path) : cache.blobPath(file);
    for await (const block of createReadStream(path, { highWaterMark: 2 ** 20 })) {
      throwIfAborted(signal);
      hash.update(block as Buffer);
    }
    if (hash.digest('hex') !== file.hash) damaged.push(file);
  }
  return damaged;
}
