/** Waiting for a lock that another process holds, and telling when that one is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError, UsageError } from '../errors.js';
import { describePath } from '../options.js';
import { type FoundClaim, holderOf, type LockHolder, lifeOf } from './lock-claim.js';

/** Between two renewals of a holder, and between two looks at one that we only see through its lock, in ms. */
export const RENEW_MS = 5000;
/** Looks at an unchanged claim until it is over: a minute, as long as a network folder may show what is past. */
const LOOK_COUNT = 12;
/** Between two looks at a process of our own place, in ms. */
const NEAR_MS = 250;

/** What to do while another process holds a lock. */
export interface LockOptions {
  /** Whether to wait for a process that lives, however long. @default false: it is refused */
  readonly waits?: boolean | undefined;
  /** Ends the waiting with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each wait for the next look; null for a claim that is torn. */
  readonly onWait?: ((holder: LockHolder | null) => void | Promise<void>) | undefined;
  /** In ms. @default 5000 */
  readonly renewMs?: number | undefined;
}

/**
 * Versions that did not change while they were looked at as often as it takes: who looks before it loads models need not
 * look so long again.
 */
const over = new Set<string>();

/** Whether a claim no longer counts: its process has ended, or was seen to be gone. */
export async function isOver(found: FoundClaim): Promise<boolean> {
  return over.has(found.version) || (await lifeOf(found)) === 'ended';
}

export class LockWatch {
  readonly #path: string;
  readonly #what: string;
  readonly #options: LockOptions;
  #version: string | undefined;
  #lookCount = 0;

  /** @param what the file that is locked, for the message */
  constructor(path: string, what: string, options: LockOptions) {
    this.#path = path;
    this.#what = what;
    this.#options = options;
  }

  /**
   * Takes a look at who holds the lock, and waits until it is time for the next.
   *
   * @throws UsageError ERR_RESULTS_LOCKED for a process that lives and is not to be waited for; AbortError
   */
  async look(found: FoundClaim): Promise<void> {
    const { waits = false, signal, onWait, renewMs = RENEW_MS } = this.#options;
    const holder = await holderOf(found);
    const isNear = holder?.isHere === true;
    const isSame = this.#version === found.version;
    if (!waits && (isNear || (this.#version !== undefined && !isSame))) throw locked(this.#path, this.#what, holder);
    this.#version = found.version;
    this.#lookCount = isSame ? this.#lookCount + 1 : 0;
    if (!isNear && this.#lookCount >= LOOK_COUNT) {
      over.add(found.version);
      return;
    }
    await onWait?.(holder);
    await sleep(isNear ? NEAR_MS : renewMs, undefined, { signal }).catch(() => {
      throw new AbortError(signal);
    });
  }
}

function locked(path: string, what: string, holder: LockHolder | null): UsageError {
  const who = holder === null ? 'a process' : `process ${holder.pid}${holder.isHere ? '' : ` on ${holder.host}`}`;
  return new UsageError(
    'ERR_RESULTS_LOCKED',
    `Expected ${describePath(what)} to be free to write, but ${who} writes it (${describePath(path)}). Stop it, or wait for it with waits: true.`,
  );
}
