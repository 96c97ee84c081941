/** Where a file is, whatever path names it: links followed, also to where nothing is yet. */
import { lstat, opendir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.js';

export interface Place {
  /** Absolute, without links: what is opened, and beside which drafts and locks stand. */
  readonly target: string;
  /** The same for all paths that name one file, by device and inode; of what is not there yet, by its folder and name. */
  readonly identity: string;
  /** `other` is a device, a pipe or a socket. */
  readonly kind: 'nothing' | 'file' | 'folder' | 'other';
  /** Names that the file has: hard links. */
  readonly nameCount: number;
}

/** As many as Linux follows. */
const MOST_LINKS = 40;

/** @throws UsageError ERR_INVALID_OPTION for links that lead in a circle */
export async function placeOf(path: string): Promise<Place> {
  let target = path; // as it is: behind a link, '..' is not what it looks like
  for (let hop = 0; hop <= MOST_LINKS; hop++) {
    const found = await stat(target, { bigint: true }).catch(() => null);
    if (found !== null) {
      const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
      const whole = await realpath(target).catch(() => resolve(target)); // a pipe behind /dev/stdout has no path
      return { target: whole, identity: `${found.dev}:${found.ino}`, kind, nameCount: Number(found.nlink) };
    }
    const folder = await realpath(dirname(target)).catch(() => resolve(dirname(target)));
    target = join(folder, basename(target));
    const link = await readlink(target).catch(() => null);
    if (link === null) return { target, identity: await futureIdentity(target), kind: 'nothing', nameCount: 0 };
    target = isAbsolute(link) ? link : `${folder}/${link}`; // where the link would have its file
  }
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected a file at ${JSON.stringify(path)}, received links that lead in a circle. Name another.`,
  );
}

/** Device and inode of what is there; null where nothing is. */
export async function identityOf(path: string): Promise<string | null> {
  return await stat(path, { bigint: true }).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => null,
  );
}

/** The path of a picture, if it is one of a file: bytes, pixels, data: and other URLs have none. */
export function picturePath(source: unknown): string | null {
  const text = source instanceof URL ? source.href : source;
  if (typeof text !== 'string' || /^(data|https?):/i.test(text)) return null;
  if (!/^file:/i.test(text)) return text;
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
