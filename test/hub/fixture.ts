/** Files that the tests fetch, and a client that does not wait long. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fetchListing, HubClient, hubSettings, type PullOptions, pullFiles } from '../../src/hub/index.js';
import { hashOf, type TestHub, type TestRepo } from './server.js';

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'eta-hub-'));
  folders.push(folder);
  return folder;
}

export function clientOf(hub: TestHub, folder: string, env: Readonly<Record<string, string>> = {}): HubClient {
  return new HubClient(hubSettings(folder, { HF_ENDPOINT: hub.endpoint, ...env }), {
    tryCount: 5,
    firstWaitMs: 1,
    mostWaitMs: 2000,
  });
}

/** Lists and fetches all files of a repository, or some. */
export async function fetched(client: HubClient, repo: string, paths?: readonly string[], options: PullOptions = {}) {
  const listing = await fetchListing(client, { repo, revision: 'main' }, options.signal);
  const files = listing.files.filter(({ path }) => paths?.includes(path) ?? true);
  return await pullFiles(client, { revision: 'main', listing, files }, options);
}

/** As test/golden/hub/record.py writes what a file holds. */
function heldText(bytes: Buffer): string {
  if (bytes.length <= 256) return `base64 ${bytes.toString('base64')}`;
  return `sha256 ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Every entry of a folder: a link by its target, a file by what it holds. */
export async function layoutOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, entry);
    const kind = await lstat(path);
    if (kind.isSymbolicLink()) found[entry] = `-> ${await readlink(path)}`;
    else if (kind.isFile()) found[entry] = heldText(await readFile(path));
  }
  return found;
}

/** Nothing wrong is in place: every blob has the hash that it is called by, and every snapshot's file the right bytes. */
export async function assertRight(folder: string, repo: string, files: TestRepo['files']): Promise<void> {
  const root = join(folder, `models--${repo.replace('/', '--')}`);
  for (const name of await readdir(join(root, 'blobs')).catch(() => [])) {
    if (name.includes('.')) continue; // a part
    assert.equal(hashOf(await readFile(join(root, 'blobs', name))), name);
  }
  for (const commit of await readdir(join(root, 'snapshots')).catch(() => []))
    for (const [path, bytes] of Object.entries(files)) {
      const found = await readFile(join(root, 'snapshots', commit, path)).catch(() => null);
      if (found !== null) assert.ok(found.equals(bytes), `${path} holds other bytes`);
    }
}
