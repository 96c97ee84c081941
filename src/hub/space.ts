/** Whether a disk has room, and takes the names, asked before the first byte. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from '../errors.js';
import { describePath } from '../options.js';
import type { HubFile, Listing } from './listing.js';

/** Kept free beside what is fetched. */
const RESERVE_BYTES = 64 * 2 ** 20;

/** Free bytes where a folder is, or would be; null where the system does not tell. */
export async function freeBytes(folder: string): Promise<number | null> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await statfs(at).catch(() => null);
    if (found !== null) return found.bavail * found.bsize;
    if (dirname(at) === at) return null;
  }
}

/** @throws FileError ERR_FILE_WRITE */
export function checkRoom(folder: string, wantedBytes: number, free: number | null): void {
  if (wantedBytes === 0 || free === null || wantedBytes + RESERVE_BYTES <= free) return;
  throw new FileError(
    'ERR_FILE_WRITE',
    `Expected room for ${gibibytes(wantedBytes)} in ${describePath(folder)} and ${RESERVE_BYTES / 2 ** 20} MiB that stay free, found ${gibibytes(free)}. Make room, or name a folder on another disk with HF_HUB_CACHE.`,
  );
}

/** What file systems take of one name, less what stands behind it while it is made. */
const MOST_NAME_BYTES = 240;

/** @throws FileError ERR_FILE_WRITE for a file that could not be given its name */
export function checkNames({ repo }: Pick<Listing, 'repo'>, files: readonly Pick<HubFile, 'path'>[]): void {
  for (const { path } of files) {
    const long = [`models--${repo}`, ...path.split('/')].find((name) => Buffer.byteLength(name) > MOST_NAME_BYTES);
    if (long === undefined) continue;
    throw new FileError(
      'ERR_FILE_WRITE',
      `Expected names of at most ${MOST_NAME_BYTES} bytes in ${repo}, as file systems take them, received ${describePath(long)} of ${Buffer.byteLength(long)}. Nothing was fetched: fetch it by hand under a shorter name, and name that file.`,
    );
  }
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
