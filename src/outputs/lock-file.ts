/**
 * One writer at a time, on one machine or on several that share a folder, without help of the operating system's locks:
 * Node offers none, and network folders keep them or do not.
 *
 * The holder is whose claim stands in the lock. A claim is made where no lock is, by a call that fails where one is, which
 * network folders keep too (appending, by contrast, is atomic on a disk of one's own alone). The holder counts its renewals
 * up in it every {@link RENEW_MS}. Nobody compares the clocks of two machines:
 *
 * - Of a process of our own place (one start of the system, one namespace of process numbers) Linux tells whether it
 *   runs, by number and start. Ended, its claim is over at once; alive, it is not, even if it stands still.
 * - Of any other, and of all where the system does not tell this for sure (macOS, Windows), we only see the lock. Its claim is over when we looked at it {@link LOOK_COUNT} times in turn,
 *   {@link RENEW_MS} apart, and nothing had changed. A process whose machine was lost is so; one whose machine was merely
 *   given up, while its work goes on, is not, and is waited for.
 *
 * A claim that is over is taken over by a file of its own name, which again one process alone can make, and which then
 * takes the lock's name.
 *
 * What this cannot rule out: that a holder stands still for so long (stopped, swapped out, its folder away), is taken for
 * lost, and goes on. It then writes for a moment beside the new holder. So **the lock decides who works, and not alone
 * what is right**: whoever writes under it
 *
 * 1. checks that it holds the lock, then takes away all drafts of its target; where that fails it writes nothing;
 * 2. writes nothing but files of its own: a draft, then {@link LockFile.check}, then the draft takes the target's name;
 * 3. after it has opened a file by its name, checks again;
 * 4. checks before it says that it is done.
 *
 * Then nothing of an old holder can come into what a new one has made. A claim, once another stands in the lock, never
 * comes back into it. So an old holder's check in 2 that still succeeds was before the new one held the lock, hence its
 * draft was there before 1: it either has taken its name by then, and is what the new one finds and goes on with, or is
 * taken away and takes no name any more. What it appends goes to its own file, which by then has no name. And by 4 it
 * does not say that it is done.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { UsageError } from '../errors.js';
import { describePath } from '../options.js';
import { type Claim, checkLock, claimText, type FoundClaim, ownClaim, readClaim } from './lock-claim.js';
import { isOver, type LockOptions, LockWatch, RENEW_MS } from './lock-watch.js';
import { untilPassed } from './passing.js';
import { refusedCall, unwritable } from './unwritable.js';

export class LockFile {
  readonly #path: string;
  readonly #what: string;
  readonly #claim: Claim;
  readonly #handle: FileHandle;
  readonly #timer: NodeJS.Timeout;
  #renewalCount = 0;
  #renewing: Promise<void> | undefined;
  #loss: UsageError | undefined;
  #isHeld = true;

  private constructor(path: string, what: string, { claim, handle }: Own, renewMs: number) {
    this.#path = path;
    this.#what = what;
    this.#claim = claim;
    this.#handle = handle;
    this.#timer = setInterval(() => {
      this.#renewing ??= this.#renew().finally(() => {
        this.#renewing = undefined;
      });
    }, renewMs).unref();
  }

  /**
   * @param what the file that is locked, for the message
   * @throws UsageError ERR_RESULTS_LOCKED when another process that lives holds it and `waits` is not said,
   * ERR_INVALID_OPTION when something else stands there; FileError ERR_FILE_WRITE, ERR_FILE_READ; AbortError
   */
  static async acquire(path: string, what: string, options: LockOptions = {}): Promise<LockFile> {
    const watch = new LockWatch(path, what, options);
    for (;;) {
      const found = await attempt(path, what);
      if ('handle' in found) return new LockFile(path, what, found, options.renewMs ?? RENEW_MS);
      await watch.look(found);
    }
  }

  /** Waits as {@link acquire} would, and takes nothing. @throws as it does */
  static async checkFree(path: string, what: string, options: LockOptions = {}): Promise<void> {
    const watch = new LockWatch(path, what, options);
    for (;;) {
      await checkLock(path, what);
      const found = await readClaim(path);
      if (found === null || (await isOver(found))) return;
      await watch.look(found);
    }
  }

  /** What {@link check} threw first, or a renewal found. */
  get loss(): UsageError | undefined {
    return this.#loss;
  }

  /** @throws UsageError ERR_RESULTS_LOCKED when another process took the lock over, or it was taken away; FileError ERR_FILE_READ */
  async check(): Promise<void> {
    const found = await readClaim(this.#path);
    if (found?.claim?.nonce === this.#claim.nonce) return;
    this.#loss ??= lost(this.#path, this.#what, found);
    throw this.#loss;
  }

  /** Idempotent. What another process took over stays. */
  async release(): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    clearInterval(this.#timer);
    await this.#renewing;
    await this.#handle.close().catch(() => undefined); // of a file that another machine took away
    const found = await readClaim(this.#path);
    if (found?.claim?.nonce === this.#claim.nonce) await rm(this.#path, { force: true });
  }

  /** Through the file and not its name, which may be another's by now. What fails is tried again the next time. */
  async #renew(): Promise<void> {
    try {
      await this.check();
      await this.#handle.write(claimText(this.#claim, ++this.#renewalCount), 0);
      await this.#handle.datasync(); // or other machines would not see it for long
    } catch {
      // `loss` tells whether the lock is gone
    }
  }
}

/** A claim that stands in the lock, and the file that it stands in. */
interface Own {
  readonly claim: Claim;
  readonly handle: FileHandle;
}

/** @returns the own claim in the lock, or that of another who may live */
async function attempt(path: string, what: string): Promise<Own | FoundClaim> {
  for (;;) {
    await checkLock(path, what);
    const found = await readClaim(path);
    if (found !== null && !(await isOver(found))) return found;
    if (found === null) {
      const own = await makeClaim(path);
      if (own !== null) return own;
    } else {
      const taken = await takeOver(path, found);
      if (taken !== null) return taken;
    }
  }
}

/** @returns null where a file is already, or another stands there by now: who makes a claim may stand still in between */
async function makeClaim(path: string): Promise<Own | null> {
  const claim = await ownClaim();
  const handle = await untilPassed(() => open(path, 'wx')).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST') return null;
    throw unwritable(path, cause);
  });
  if (handle === null) return null;
  const own = { claim, handle };
  try {
    await handle.write(claimText(claim, 0), 0);
    await handle.datasync();
    if (await standsIn(path, own)) return own;
  } catch (cause) {
    await giveUp(path, own, true);
    throw refusedCall(path, cause);
  }
  await giveUp(path, own);
  return null;
}

async function standsIn(path: string, { claim }: Own): Promise<boolean> {
  return (await readClaim(path))?.claim?.nonce === claim.nonce;
}

/**
 * Closes a claim and takes it away, where it stands. Never fails: what was before is to be told.
 *
 * @param isTorn whether it may not be whole, so that one without a name is taken for it
 */
async function giveUp(path: string, own: Own, isTorn = false): Promise<void> {
  await own.handle.close().catch(() => undefined);
  const found = await readClaim(path).catch(() => null);
  const isOwn = found?.claim?.nonce === own.claim.nonce || (isTorn && found?.claim === null);
  if (isOwn) await rm(path, { force: true }).catch(() => undefined);
}

/**
 * Puts an own claim in the place of one that is over.
 *
 * @returns null where another was faster, or ended meanwhile; a claim of who is about to take it over, and may live
 */
async function takeOver(path: string, old: FoundClaim): Promise<Own | FoundClaim | null> {
  const next = `${path}.${old.claim?.nonce ?? '0'.repeat(12)}.draft`;
  const own = await makeClaim(next);
  if (own === null) {
    const other = await readClaim(next);
    if (other !== null && !(await isOver(other))) return other;
    await rm(next, { force: true });
    return null;
  }
  // Whatever happens to these names meanwhile: who holds the lock is whose claim stands in it afterwards.
  try {
    if ((await readClaim(path))?.version === old.version) await takeName(next, path);
    if (await standsIn(path, own)) return own;
  } catch (error) {
    await giveUp(next, own);
    throw error;
  }
  await giveUp(next, own);
  return null;
}

/** Another may have taken the draft away, or its name. */
async function takeName(draft: string, path: string): Promise<void> {
  await untilPassed(() => rename(draft, path)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw unwritable(path, cause);
  });
}

function lost(path: string, what: string, found: FoundClaim | null): UsageError {
  const cause =
    found === null
      ? `its lock ${describePath(path)} was taken away`
      : `process ${found.claim?.pid ?? '?'} on ${found.claim?.host ?? '?'} took it over, because this one had not renewed its lock for long`;
  return new UsageError(
    'ERR_RESULTS_LOCKED',
    `Expected to be the one who writes ${describePath(what)}, but ${cause}. What was written by then is kept; go on with resume: true.`,
  );
}
