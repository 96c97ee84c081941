/**
 * One writer at a time, without help of the operating system's locks, which Node does not offer.
 *
 * Whoever wants to write appends a claim to the lock file; appends are atomic, so all read the same order, and the first
 * claim whose process still lives holds the lock. A process that was killed loses it by that rule alone: nothing has to be
 * broken open, so nothing can be broken open twice. The holder removes the file when it is done.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { appendFile, lstat, open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { FileError, UsageError } from '../errors.js';
import { describePath } from '../options.js';
import { mayRun } from './draft.js';
import { unwritable } from './unwritable.js';

/** A process that may live, on this machine or another. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
}

interface Claim extends LockHolder {
  /** When the process began, where the system tells: a number that came back is another process. */
  readonly startedAt: string | null;
  readonly nonce: string;
}

export class LockFile {
  readonly #path: string;
  #isHeld = true;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * @param what the file that is locked, for the message
   * @throws UsageError ERR_RESULTS_LOCKED when another process that may live holds it, ERR_INVALID_OPTION when something
   * else stands there; FileError ERR_FILE_WRITE
   */
  static async acquire(path: string, what: string): Promise<LockFile> {
    const lock = await LockFile.tryAcquire(path, what);
    if (lock instanceof LockFile) return lock;
    throw new UsageError('ERR_RESULTS_LOCKED', lockedMessage(lock, path, what));
  }

  /** As {@link acquire}, but tells who holds it, for those who wait. */
  static async tryAcquire(path: string, what: string): Promise<LockFile | LockHolder> {
    await checkLock(path, what);
    const own: Claim = {
      pid: process.pid,
      host: hostname(),
      startedAt: await startOf(process.pid),
      nonce: randomBytes(8).toString('hex'),
    };
    // A holder that ends takes the file away, and a claim made meanwhile with it: then it is made again.
    for (;;) {
      await append(path, own);
      const claims = await readClaims(path);
      const place = placeIn(claims, own);
      if (place < 0) continue;
      const holder = await firstLiving(claims.slice(0, place));
      if (holder !== undefined) {
        await withdraw(path, own);
        return holder;
      }
      // Those before it are gone: the last of them may have taken the file away since it was read.
      if (placeIn(await readClaims(path), own) >= 0) return new LockFile(path);
    }
  }

  /** @throws UsageError ERR_RESULTS_LOCKED when somebody holds the lock; FileError ERR_FILE_READ */
  static async checkFree(path: string, what: string): Promise<void> {
    const holder = await firstLiving(await readClaims(path));
    if (holder !== undefined) throw new UsageError('ERR_RESULTS_LOCKED', lockedMessage(holder, path, what));
  }

  /** Idempotent. */
  async release(): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    await rm(this.#path, { force: true });
  }
}

function lockedMessage({ pid, host }: LockHolder, path: string, what: string): string {
  const place = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  const remedy =
    host === hostname()
      ? 'Wait for it, or stop it.'
      : `Wait for it; if it is gone for good, remove ${describePath(path)} and start again.`;
  return `Expected ${describePath(what)} to be free to write, but ${place} writes it. ${remedy}`;
}

/** What is no lock is neither added to nor taken away. A link is none: the lock stands beside the file that it locks. */
async function checkLock(path: string, what: string): Promise<void> {
  const refuse = (found: string, cause?: unknown) => {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `Expected the lock of ${describePath(what)}, or nothing, at ${JSON.stringify(path)}, found ${found}. Name another results file.`,
      { cause },
    );
  };
  const found = await lstat(path).catch(() => null); // making a claim tells why
  if (found === null) return;
  if (!found.isFile()) refuse('something else');
  const begin = await beginOf(path).catch((cause: NodeJS.ErrnoException) =>
    cause.code === 'ENOENT' ? '' : refuse(`what cannot be read (${cause.message})`, cause),
  );
  if (!BEGINS.some((form) => form.startsWith(begin) || begin.startsWith(form))) refuse('something else');
}

const BEGINS = ['{"pid":', '{"withdrawn":'];

/** The first bytes of a file, as many as tell whether it is a lock. */
async function beginOf(path: string): Promise<string> {
  const bytes = Buffer.alloc(Math.max(...BEGINS.map(({ length }) => length)));
  const handle = await open(path, 'r');
  try {
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytes.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Appending to a lock that its holder removes meanwhile makes a new one, which is as good. */
async function append(path: string, claim: Claim): Promise<void> {
  await appendFile(path, `${JSON.stringify(claim)}\n`, { flush: false }).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
}

/** In a file that its holder removed meanwhile there is nothing to withdraw: none is made. */
async function withdraw(path: string, { nonce }: Claim): Promise<void> {
  const line = `${JSON.stringify({ withdrawn: nonce })}\n`;
  await appendFile(path, line, { flag: constants.O_WRONLY | constants.O_APPEND }).catch(() => undefined); // the refusal is what to tell
}

function placeIn(claims: readonly Claim[], { nonce }: Claim): number {
  return claims.findIndex((claim) => claim.nonce === nonce);
}

async function firstLiving(claims: readonly Claim[]): Promise<Claim | undefined> {
  for (const claim of claims) if (await mayLive(claim)) return claim;
  return undefined;
}

/** Claims in order, without those that were withdrawn. A torn claim, of a process killed while it made it, is none. */
async function readClaims(path: string): Promise<Claim[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new FileError('ERR_FILE_READ', `Expected to read ${describePath(path)}, but it failed: ${error.message}.`, {
      cause: error,
    });
  });
  const claims: Claim[] = [];
  const withdrawn = new Set<string>();
  for (const line of text.split('\n')) {
    const entry = parsed(line);
    if (typeof entry?.withdrawn === 'string') withdrawn.add(entry.withdrawn);
    else if (typeof entry?.pid === 'number' && typeof entry.host === 'string' && typeof entry.nonce === 'string') {
      claims.push({ pid: entry.pid, host: entry.host, startedAt: entry.startedAt ?? null, nonce: entry.nonce });
    }
  }
  return claims.filter(({ nonce }) => !withdrawn.has(nonce));
}

function parsed(line: string): (Partial<Claim> & { withdrawn?: unknown }) | null {
  try {
    return JSON.parse(line) as Partial<Claim> & { withdrawn?: unknown };
  } catch {
    return null;
  }
}

/** Whether the process of a claim may still write. What another machine runs cannot be seen from here. */
async function mayLive({ pid, host, startedAt }: Claim): Promise<boolean> {
  if (host !== hostname()) return true;
  if (!mayRun(pid)) return false;
  const now = await startOf(pid);
  return now === null || startedAt === null || now === startedAt;
}

/** When a process began, in ticks since the machine did; null where there is no /proc. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // the name in parentheses may hold spaces; the start is the 20th field behind it
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
