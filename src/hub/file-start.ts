/** The first bytes of a file of the hub, before it is fetched: what its head says. */
import { open } from 'node:fs/promises';
import { blocksOf } from './blocks.js';
import { failedTry, type HubClient, retriable } from './client.js';
import type { HubFile, Listing } from './listing.js';
import { persist, type Try } from './patience.js';
import { RepoCache } from './repo-cache.js';

/**
 * The bytes, at most `byteCount`: from the cache where the file is there, else asked for by range.
 *
 * @throws AbortError; HubError
 */
export async function openStart(
  client: HubClient,
  { repo, commit }: Listing,
  file: HubFile,
  { byteCount, signal }: { readonly byteCount: number; readonly signal?: AbortSignal | undefined },
): Promise<Buffer> {
  if (file.sizeBytes === 0) return Buffer.alloc(0);
  const cache = new RepoCache(client.settings.folder, repo);
  if (await cache.has(commit, file)) return await startOf(cache.snapshotPath(commit, file.path), byteCount);
  const url = client.fileUrl(repo, commit, file.path);
  const asked = { repo, revision: commit, file: file.path, hasToken: client.settings.token !== null, url };
  const attempt = async (): Promise<Try<Buffer>> => {
    try {
      const opened = await client.open(url, { headers: { range: `bytes=0-${byteCount - 1}` }, signal });
      const failure = failedTry(opened, asked);
      if (failure !== null) return failure;
      const { reply } = opened;
      const blocks: Buffer[] = [];
      let received = 0;
      for await (const block of blocksOf(reply, opened.url, client.settings.stallMs)) {
        blocks.push(block);
        received += block.length;
        if (received >= byteCount) break; // a host that heeds no range would send all of it
      }
      reply.destroy();
      return { value: Buffer.concat(blocks).subarray(0, byteCount) };
    } catch (error) {
      return retriable(error, url, signal);
    }
  };
  return await persist(attempt, client.patience, signal);
}

async function startOf(path: string, byteCount: number): Promise<Buffer> {
  const handle = await open(path);
  try {
    const bytes = Buffer.alloc(byteCount);
    const { bytesRead } = await handle.read(bytes, 0, byteCount, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
