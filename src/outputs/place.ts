/** Where a file is, whatever path names it: links followed, also to where nothing is yet. */
import { lstat, opendir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.js';

/** Where a path leads. */
export interface Place {
  /** Absolute, without links: what is opened, and beside which drafts and locks stand. */
  readonly target: string;
  /** The same for all paths that name one file, by device and inode; of what is not there yet, by its folder and name. */
  readonly identity: string;
  /** What is there now; `other` is a device, a pipe or a socket. */
  readonly kind: 'nothing' | 'file' | 'folder' | 'other';
  /** Names that the file has: hard links. */
  readonly nameCount: number;
}

/** As many as Linux follows. */
const MOST_LINKS = 40;

/**
 * What a path leads to, as the system follows it: where it leads nowhere, each part of it is looked at in turn, because
 * `a/../b` is not `b` where there is no `a`.
 *
 * @param name what a message calls it
 * @throws UsageError ERR_INVALID_OPTION for links that lead in a circle, and for paths that can never lead to a file or a
 * folder: through a file, or back out of a folder that is not there
 */
export async function placeOf(path: string, name = 'The output'): Promise<Place> {
  const refuse = (received: string): never => {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `${name}: expected a place for a file, received ${JSON.stringify(path)}, which leads ${received}. Name another.`,
    );
  };
  return await follow(path, refuse, MOST_LINKS);
}

async function follow(path: string, refuse: (received: string) => never, linkCount: number): Promise<Place> {
  const found = await stat(path, { bigint: true }).catch((cause: NodeJS.ErrnoException) => cause.code ?? 'ENOENT');
  if (typeof found === 'object') {
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
    const whole = await realpath(path).catch(() => resolve(path)); // a pipe behind /dev/stdout has no path
    return { target: whole, identity: `${found.dev}:${found.ino}`, kind, nameCount: Number(found.nlink) };
  }
  if (found === 'ELOOP' || linkCount === 0) refuse('in a circle of links');
  if (found === 'ENOTDIR') refuse('through a file');
  if (LEAVES.test(path)) refuse('through a folder that is not there');
  const parent = dirname(path);
  const folder = parent === path ? null : await follow(parent, refuse, linkCount);
  if (folder?.kind === 'file' || folder?.kind === 'other') refuse('through a file');
  const target = folder === null ? path : join(folder.target, basename(path));
  const link = await readlink(target).catch(() => null);
  if (link === null) return { target, identity: await futureIdentity(target), kind: 'nothing', nameCount: 0 };
  // Where the link would have its file.
  return await follow(isAbsolute(link) ? link : `${dirname(target)}/${link}`, refuse, linkCount - 1);
}

/** Ends in "." or "..". */
const LEAVES = /(?:^|[\\/])\.\.?[\\/]*$/;

/** Device and inode of what is there; null where nothing is. */
export async function identityOf(path: string): Promise<string | null> {
  return await stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => null,
  );
}

/** The path of a picture, if it is one of a file: bytes, pixels, data: and other URLs (s3://…) have none. */
export function picturePath(source: unknown): string | null {
  const text = source instanceof URL ? source.href : source;
  if (typeof text !== 'string' || /^(data|https?):/i.test(text)) return null;
  if (!/^file:/i.test(text)) return /^[a-z][\w+.-]+:\/\//i.test(text) ? null : text;
  try {
    return fileURLToPath(text);
  } catch {
    return null; // decoding says what is wrong with it
  }
}

/** Of the nearest folder that is there, and the names below it. */
async function futureIdentity(target: string): Promise<string> {
  let names = '';
  for (let place = target; ; place = dirname(place)) {
    const folder = dirname(place);
    names = `/${basename(place)}${names}`;
    const identity = await identityOf(folder);
    if (identity === null && folder !== place) continue;
    return `${identity}${(await ignoresCase(folder)) ? names.normalize('NFC').toLowerCase() : names}`;
  }
}

/** Whether two names that differ in case alone are one, asked of a name that is there. */
async function ignoresCase(folder: string): Promise<boolean> {
  const entries = await opendir(folder).catch(() => null);
  if (entries === null) return false;
  for await (const { name } of entries) {
    const other = caseSwapped(name);
    if (other !== name) return await isSame(join(folder, name), join(folder, other));
  }
  const other = caseSwapped(basename(folder)); // nothing in it: its own name is the best witness
  return other !== basename(folder) && (await isSame(folder, join(dirname(folder), other)));
}

async function isSame(one: string, other: string): Promise<boolean> {
  const identity = async (path: string) => {
    const found = await lstat(path, { bigint: true }).catch(() => null);
    return found && `${found.dev}:${found.ino}`;
  };
  const [first, second] = await Promise.all([identity(one), identity(other)]);
  return first !== null && first === second;
}

function caseSwapped(name: string): string {
  const lower = name.toLowerCase();
  return name === lower ? name.toUpperCase() : lower;
}
