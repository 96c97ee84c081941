/**
 * Files of one repository as the hub's clients keep them: `blobs` by hash, `refs` from revision to commit, `snapshots` with
 * a folder a commit whose entries lead to blobs.
 */
import { copyFile, link, mkdir, readdir, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { parsedJson } from '../json.js';
import { makeFolder, refusedCall, writeWhole } from '../outputs/index.js';
import type { RepoAddress } from './address.js';
import { type HubFile, type Listing, listingSchema } from './listing.js';

const COMMIT = /^[0-9a-f]{40}$/;
/** What to do where the cache cannot be written. */
const ELSEWHERE = 'Name a folder that can be written to with HF_HUB_CACHE (in a program, modelsFolder).';
/** What a file system or a system without links answers. */
const NO_LINKS = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK', 'UNKNOWN'];

export class RepoCache {
  /** Of all repositories. */
  readonly folder: string;
  /** "owner/name". */
  readonly repo: string;
  readonly root: string;
  readonly #locks: string;

  constructor(folder: string, repo: string) {
    const name = `models--${repo.replace('/', '--')}`;
    this.folder = folder;
    this.repo = repo;
    this.root = join(folder, name);
    this.#locks = join(folder, '.locks', name);
  }

  blobPath({ hash }: HubFile): string {
    return join(this.root, 'blobs', hash);
  }

  /** What is there of a file that is being fetched; a name of our own, because others lock otherwise. */
  partPath(file: HubFile): string {
    return `${this.blobPath(file)}.eta-vlm.incomplete`;
  }

  lockPath({ hash }: HubFile): string {
    return join(this.#locks, `${hash}.eta-vlm.lock`);
  }

  snapshotPath(commit: string, path = ''): string {
    return join(this.root, 'snapshots', commit, path);
  }

  /** The commit that a revision was when it was fetched last; null: it never was. */
  async commitOf(revision: string): Promise<string | null> {
    const text = await readFile(join(this.root, 'refs', revision), 'utf8').catch(() => '');
    if (COMMIT.test(text.trim())) return text.trim();
    return COMMIT.test(revision) && (await stat(this.snapshotPath(revision)).catch(() => null)) !== null
      ? revision
      : null;
  }

  /** What the hub announced of a commit when it was fetched; null where another client fetched it. */
  async listing(commit: string): Promise<Listing | null> {
    const text = await readFile(this.#listingPath(commit), 'utf8').catch(() => '');
    return listingSchema.safeParse(parsedJson(text)).data ?? null;
  }

  /** Whether a file stands in its place, as long as it should be. */
  async has(commit: string, { path, sizeBytes }: HubFile): Promise<boolean> {
    return await isFile(this.snapshotPath(commit, path), sizeBytes);
  }

  async hasBlob(file: HubFile): Promise<boolean> {
    return await isFile(this.blobPath(file), file.sizeBytes);
  }

  /** Bytes that are there of a file that was not fetched to its end. */
  async partBytes(file: HubFile): Promise<number> {
    const found = await stat(this.partPath(file)).catch(() => null);
    return found === null || found.size > file.sizeBytes ? 0 : found.size;
  }

  /** Folders for blobs and locks. @throws FileError ERR_FILE_WRITE */
  async makeFolders(): Promise<void> {
    await makeFolder(join(this.root, 'blobs'), ELSEWHERE);
    await makeFolder(this.#locks, ELSEWHERE);
  }

  /**
   * Gives a blob its name in the snapshot: a relative link; where there are none, a second name; where there is none either,
   * the blob itself is moved there, as other clients do.
   *
   * @throws FileError ERR_FILE_WRITE
   */
  async place(commit: string, file: HubFile): Promise<void> {
    const pointer = this.snapshotPath(commit, file.path);
    const draft = `${pointer}.eta-vlm.link`;
    const blob = this.blobPath(file);
    try {
      await mkdir(dirname(pointer), { recursive: true });
      await rm(draft, { force: true });
      await symlink(relative(dirname(pointer), blob), draft)
        .catch(orWithoutLinks(() => link(blob, draft)))
        .catch(orWithoutLinks(() => moved(blob, draft)));
      await rename(draft, pointer);
    } catch (error) {
      throw refusedCall(pointer, error);
    }
  }

  /** Says that a revision is this commit now, and what the hub announced of it. @throws FileError ERR_FILE_WRITE */
  async remember(revision: string, listing: Listing): Promise<void> {
    const { commit } = listing;
    await makeFolder(dirname(this.#listingPath(commit)));
    await writeWhole(this.#listingPath(commit), (draft) => draft.writeFile(`${JSON.stringify(listing)}\n`));
    if (COMMIT.test(revision)) return;
    const ref = join(this.root, 'refs', revision);
    await makeFolder(dirname(ref));
    await writeWhole(ref, (draft) => draft.writeFile(commit));
  }

  #listingPath(commit: string): string {
    return join(this.root, '.eta-vlm', `${commit}.json`);
  }
}

/** What to do instead where links are refused. @returns a handler of failures; all others it throws */
function orWithoutLinks(instead: () => Promise<void>): (error: NodeJS.ErrnoException) => Promise<void> {
  return async (error) => {
    if (!NO_LINKS.includes(error.code ?? '')) throw error;
    await instead();
  };
}

/** Across file systems, and where another snapshot needs the blob, a copy. */
async function moved(blob: string, to: string): Promise<void> {
  await rename(blob, to).catch(() => copyFile(blob, to));
}

/** The SHA-256 that the name of a blob is, of a file in the cache; undefined for any other. */
export async function blobHash(path: string): Promise<string | undefined> {
  const name = basename(await realpath(path).catch(() => ''));
  return /^[0-9a-f]{64}$/.test(name) ? name : undefined;
}

async function isFile(path: string, sizeBytes: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true && found.size === sizeBytes;
}

/**
 * What is here of a repository, told without a connection: as the hub announced it, else the files that another client
 * fetched. Null: nothing.
 *
 * @param isAnnounced whether only the first will do: of what another client fetched nobody knows what it left out
 */
export async function cachedListing(
  folder: string,
  { repo, revision }: RepoAddress,
  isAnnounced = false,
): Promise<Listing | null> {
  const cache = new RepoCache(folder, repo);
  const commit = await cache.commitOf(revision);
  if (commit === null) return null;
  const announced = await cache.listing(commit);
  if (announced !== null || isAnnounced) return announced;
  const root = cache.snapshotPath(commit);
  const entries = await readdir(root, { recursive: true }).catch(() => []);
  const files: HubFile[] = [];
  for (const entry of entries.sort()) {
    const found = await stat(join(root, entry)).catch(() => null);
    const blob = await realpath(join(root, entry)).catch(() => '');
    if (found?.isFile()) files.push({ path: entry.replaceAll('\\', '/'), sizeBytes: found.size, hash: basename(blob) });
  }
  return { repo, commit, licence: null, isGated: false, files };
}
