/** Files of a repository into the cache: what is there is kept, the rest is fetched one by one. */
import { rm } from 'node:fs/promises';
import { LockFile, type LockHolder } from '../outputs/index.js';
import { fetchBlob } from './blob.js';
import type { HubClient } from './client.js';
import type { HubFile, Listing } from './listing.js';
import { RepoCache } from './repo-cache.js';

/** How far the fetching is. */
export interface PullProgress {
  readonly repo: string;
  /** The file in work. */
  readonly path: string;
  /** Of this file. */
  readonly receivedBytes: number;
  readonly sizeBytes: number;
  /** The number of the process that fetches the same file, and is waited for; null: it is fetched here. */
  readonly waitsFor: number | null;
}

export interface PullOptions {
  readonly signal?: AbortSignal | undefined;
  /** Files that are fetched again though they are there: {@link damagedFiles}. */
  readonly again?: readonly HubFile[] | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

/**
 * Bytes that fetching these files would bring: what is there, in whole or in part, is left out.
 *
 * @param again files that are fetched all the same, because what is there is damaged
 */
export async function missingBytes(
  folder: string,
  { repo, commit }: Listing,
  files: readonly HubFile[],
  again: readonly HubFile[] = [],
): Promise<number> {
  const cache = new RepoCache(folder, repo);
  let byteCount = 0;
  for (const file of files) {
    const isHere = (await cache.has(commit, file)) || (await cache.hasBlob(file));
    if (isHere && !again.includes(file)) continue;
    byteCount += file.sizeBytes - (await cache.partBytes(file));
  }
  return byteCount;
}

/**
 * Paths of the files, in their order. The revision is said to be this commit once all are there.
 *
 * @throws AbortError, and a part stays that the next call goes on with; HubError; FileError ERR_FILE_WRITE
 */
export async function pullFiles(
  client: HubClient,
  {
    revision,
    listing,
    files,
  }: { readonly revision: string; readonly listing: Listing; readonly files: readonly HubFile[] },
  options: PullOptions = {},
): Promise<string[]> {
  const { repo, commit } = listing;
  const cache = new RepoCache(client.settings.folder, repo);
  await cache.makeFolders();
  for (const file of files) {
    const isWrong = options.again?.includes(file) === true;
    if (!isWrong && (await cache.has(commit, file))) continue;
    await underLock(cache, file, options, async (tell) => {
      if (!isWrong && (await cache.has(commit, file))) return;
      if (isWrong || !(await cache.hasBlob(file))) {
        const target = { repo, commit, file, partPath: cache.partPath(file), blobPath: cache.blobPath(file) };
        await fetchBlob(client, target, { signal: options.signal, onBytes: (byteCount) => tell(byteCount, null) });
      }
      await rm(cache.partPath(file), { force: true });
      await cache.place(commit, file);
    });
  }
  await cache.remember(revision, listing);
  return files.map(({ path }) => cache.snapshotPath(commit, path));
}

type Tell = (receivedBytes: number, waitsFor: number | null) => void;

/** One process at a time fetches a file; the others wait, and find it. */
async function underLock(
  cache: RepoCache,
  file: HubFile,
  { signal, onProgress }: PullOptions,
  work: (tell: Tell) => Promise<void>,
): Promise<void> {
  const { path, sizeBytes } = file;
  const repo = cache.repo;
  const tell: Tell = (receivedBytes, waitsFor) => onProgress?.({ repo, path, receivedBytes, sizeBytes, waitsFor });
  const onWait = async (holder: LockHolder | null) => {
    if (holder !== null) tell(await cache.partBytes(file), holder.pid);
  };
  const lock = await LockFile.acquire(cache.lockPath(file), path, { waits: true, signal, onWait });
  try {
    await work(tell);
  } finally {
    await lock.release();
  }
}
