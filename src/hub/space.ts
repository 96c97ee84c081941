/** Whether a disk has room, asked before the first byte. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from '../errors.js';
import { describePath } from '../options.js';

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
    `Expected room for ${gibibytes(wantedBytes)} in ${describePath(folder)}, found ${gibibytes(free)}. Make room, or name a folder on another disk with HF_HUB_CACHE.`,
  );
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
