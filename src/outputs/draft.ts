/** Drafts: what is written beside its target before it takes the target's name. Its name tells whose it is. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { FileError } from '../errors.js';
import { describePath } from '../options.js';
import { unwritable } from './unwritable.js';

/** Machine, process and a number of its own, each in hexadecimal; those of earlier versions have a number alone. */
const DRAFT = /\.(?:([0-9a-f]{6})([0-9a-f]{8})[0-9a-f]{8}|[0-9a-f]{12})\.draft$/;
/** A machine is told by its name, which another may have too: of what was written to lately, nobody's death is believed. */
const STALE_AFTER_MS = 10 * 60_000;

const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);

/** A name for a draft, which no other has. */
export function draftOf(target: string): string {
  const writer = process.pid.toString(16).padStart(8, '0');
  return `${target}.${machine}${writer}${randomBytes(4).toString('hex')}.draft`;
}

/**
 * Takes away what killed processes left beside a file. Whoever calls it holds the file's lock.
 *
 * @throws FileError ERR_FILE_READ, ERR_FILE_WRITE: what may still be there can take the file's name
 */
export async function removeDrafts(target: string): Promise<void> {
  const [folder, name] = [dirname(target), basename(target)];
  const entries = await readdir(folder).catch((cause: Error) => {
    throw new FileError(
      'ERR_FILE_READ',
      `Expected to see what stands in the folder ${describePath(folder)}, but it failed: ${cause.message}. Make it readable.`,
      { cause },
    );
  });
  for (const entry of entries) {
    const draft = DRAFT.exec(entry);
    if (draft === null || entry.slice(0, draft.index) !== name) continue;
    const path = join(folder, entry);
    await rm(path, { force: true }).catch((cause: unknown) => {
      throw unwritable(path, cause, 'Take it away, then begin again.');
    });
  }
}

/** Folders that were looked through. */
const swept = new Map<string, Promise<void>>();

/** Takes away the drafts in a folder whose writers were killed, once a process: more do not come of it while it runs. */
export async function sweepDrafts(folder: string): Promise<void> {
  const sweep = swept.get(folder) ?? removeStale(folder);
  swept.set(folder, sweep);
  await sweep;
}

/** Never fails: whoever writes has something else to do. */
async function removeStale(folder: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const [, host, writer] = DRAFT.exec(entry) ?? [];
    if (host !== machine || writer === undefined || mayRun(Number.parseInt(writer, 16))) continue;
    const path = join(folder, entry);
    const found = await stat(path).catch(() => null);
    if (found?.isFile() !== true || Date.now() - found.mtimeMs < STALE_AFTER_MS) continue;
    await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Whether a process of this machine may still run; a number that came back counts. */
export function mayRun(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
