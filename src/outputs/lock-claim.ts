/** What stands in a lock: who holds it, from where, and how often the holder has said so. */
import { randomBytes } from 'node:crypto';
import { lstat, open, readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { FileError, UsageError } from '../errors.js';
import { describePath } from '../options.js';
import { mayRun } from './draft.js';
import { untilPassed } from './passing.js';

/** A process that holds a lock. */
export interface LockHolder {
  /** Its number. */
  readonly pid: number;
  /** The name of its machine. */
  readonly host: string;
  /** Whether it is sure that its number means the same process to us; then we can look whether it runs. */
  readonly isHere: boolean;
}

/** As it stands in the lock. */
export interface Claim {
  readonly pid: number;
  readonly host: string;
  /** Where process numbers mean what they mean to the holder: {@link ownPlace}. */
  readonly place: string;
  /** When the process began, where the system tells: a number that came back is another process. */
  readonly startedAt: string | null;
  /** Of this claim alone; twelve hexadecimal digits. */
  readonly nonce: string;
}

/** What was found in a lock. */
export interface FoundClaim {
  /** Another for every file, and for every change of it: while a holder lives, it changes. */
  readonly version: string;
  /** Null for one that is torn: its writer was killed, or is at it. */
  readonly claim: Claim | null;
}

/** What a lock begins with, in this version; what begins otherwise is none. */
const CLAIM_BEGIN = '{"pid":';
/** Digits of the number of renewals, so that a claim is written over with one of the same length. */
const DIGITS = 12;

export async function ownClaim(): Promise<Claim> {
  return {
    pid: process.pid,
    host: hostname(),
    place: (await ownPlace()).name,
    startedAt: await startOf(process.pid),
    nonce: randomBytes(6).toString('hex'),
  };
}

/** The same length for every number of renewals. */
export function claimText(claim: Claim, renewalCount: number): string {
  return `${JSON.stringify({ ...claim, renewals: String(renewalCount).padStart(DIGITS, '0') })}\n`;
}

/** @returns null where there is no lock @throws FileError ERR_FILE_READ */
export async function readClaim(path: string): Promise<FoundClaim | null> {
  try {
    return await untilPassed(() => claimIn(path));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new FileError('ERR_FILE_READ', `Expected to read ${describePath(path)}, but it failed: ${message}.`, {
      cause,
    });
  }
}

async function claimIn(path: string): Promise<FoundClaim> {
  const handle = await open(path, 'r');
  try {
    const { dev, ino, mtimeNs } = await handle.stat({ bigint: true });
    const text = await handle.readFile('utf8');
    return { version: `${dev} ${ino} ${mtimeNs} ${text}`, claim: parsed(text) };
  } finally {
    await handle.close();
  }
}

function parsed(text: string): Claim | null {
  try {
    const { pid, host, place, startedAt = null, nonce } = JSON.parse(text) as Partial<Claim>;
    const isWhole = typeof pid === 'number' && typeof host === 'string' && /^[0-9a-f]{12}$/.test(nonce ?? '');
    return isWhole ? { pid, host, place: place ?? '', startedAt, nonce: nonce ?? '' } : null;
  } catch {
    return null;
  }
}

export async function holderOf(found: FoundClaim): Promise<LockHolder | null> {
  const { claim } = found;
  return claim && { pid: claim.pid, host: claim.host, isHere: (await lifeOf(found)) !== 'unknown' };
}

/**
 * What the system says of a holder. It is `unknown` unless it is sure that the number means the same process to us, and
 * whether that one began when the holder did: a name of a machine is no proof of the one, nor a number alone of the other.
 */
export async function lifeOf({ claim }: FoundClaim): Promise<'ended' | 'runs' | 'unknown'> {
  const own = await ownPlace();
  if (claim === null || !own.isSure || claim.place !== own.name) return 'unknown';
  if (!mayRun(claim.pid)) return 'ended';
  const now = await startOf(claim.pid);
  if (now === null || claim.startedAt === null) return 'unknown';
  return now === claim.startedAt ? 'runs' : 'ended';
}

/** Where process numbers mean one thing. */
interface NumberPlace {
  readonly name: string;
  /** Whether no other place has the name. */
  readonly isSure: boolean;
}

let place: Promise<NumberPlace> | undefined;

/**
 * The start of the system and the namespace of process numbers, both as Linux names them: a machine's name is not
 * enough, because a pod that is begun anew elsewhere has the name of the one before, and every container its process 1.
 * Other systems tell neither; there the place has the machine's name, which another may have too.
 */
function ownPlace(): Promise<NumberPlace> {
  place ??= (async () => {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => null);
    const numbers = await readlink('/proc/self/ns/pid').catch(() => null);
    if (boot === null || numbers === null) return { name: hostname(), isSure: false };
    return { name: `${boot.trim()} ${numbers}`, isSure: true };
  })();
  return place;
}

/** When a process began, in ticks since the machine did; null where there is no /proc. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // the name in parentheses may hold spaces; the start is the 20th field behind it
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/** What is no lock is neither added to nor taken away. A link is none: the lock stands beside the file that it locks. */
export async function checkLock(path: string, what: string): Promise<void> {
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
  const begin = await untilPassed(() => beginOf(path)).catch((cause: NodeJS.ErrnoException) =>
    cause.code === 'ENOENT' ? '' : refuse(`what cannot be read (${cause.message})`, cause),
  );
  if (!CLAIM_BEGIN.startsWith(begin)) refuse('something else');
}

/** The first bytes of a file, as many as tell whether it is a lock. */
async function beginOf(path: string): Promise<string> {
  const bytes = Buffer.alloc(CLAIM_BEGIN.length);
  const handle = await open(path, 'r');
  try {
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytes.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
