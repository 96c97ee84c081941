/** What the system says of a file, which no write leaves as it was. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';

/** A file system may keep times in steps of this: what changes within one leaves them as they are. */
const COARSEST_STEP_NS = 2_000_000_000n;

export interface Stamp {
  /** Digest of path, device, inode, size, and the times of the last write and the last change of the file's entry. */
  readonly digest: string;
  /** Whether a write from now on would change it. */
  readonly isSettled: boolean;
}

/**
 * The time of the last write can be set by anybody, as copies and archives do; that of the last change of the entry is the
 * system's own.
 *
 * @returns null for what is no file, or cannot be looked at
 */
export async function stampOf(path: string): Promise<Stamp | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  if (found?.isFile() !== true) return null;
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  const settledNs = BigInt(Date.now()) * 1_000_000n - COARSEST_STEP_NS;
  return {
    digest: digestOf(['file', path, ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]),
    isSettled: mtimeNs < settledNs && ctimeNs < settledNs,
  };
}

export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
