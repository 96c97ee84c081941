/** Hashes and self-tests that were found right, and hold as long as nothing they depend on has changed. */
import { sha256OfFile } from '../regular-file.js';
import type { HashCheck } from './hash-check.js';
import { VerifiedRecord } from './record.js';
import { digestOf, stampOf } from './stamp.js';

/**
 * SHA-256 of a file, in hexadecimal. With `'changed'` one that has not changed since it was hashed is not read.
 *
 * @throws as `sha256OfFile`
 */
export async function sha256Of(path: string, check: HashCheck, signal?: AbortSignal): Promise<string> {
  if (check !== 'changed') return await sha256OfFile(path, signal);
  const record = VerifiedRecord.here();
  const before = await stampOf(path);
  const known = before === null ? undefined : await record.get(before.digest);
  if (known !== undefined) return known;
  const sha256 = await sha256OfFile(path, signal);
  // A file that changed meanwhile, or that may change without a trace, is hashed again the next time.
  if (before?.isSettled && (await stampOf(path))?.digest === before.digest) record.keep(before.digest, sha256);
  return sha256;
}

/**
 * Null where a file has this SHA-256, else the one that it has. What was remembered of it and is not so is forgotten.
 *
 * @throws as {@link sha256Of}
 */
export async function differingSha256(
  path: string,
  expected: string,
  check: HashCheck,
  signal?: AbortSignal,
): Promise<string | null> {
  const said = await sha256Of(path, check, signal);
  if (said === expected) return null;
  const sha256 = check === 'changed' ? await sha256OfFile(path, signal) : said;
  const stamp = await stampOf(path);
  if (stamp !== null) await VerifiedRecord.here().forget(stamp.digest);
  return sha256 === expected ? null : sha256;
}

/** Something that is tried before it is believed. */
interface Trial {
  /** Whether it went well before, and nothing has changed since. */
  readonly isPassed: boolean;
  /** Says that it went well. */
  keep(): void;
}

/** @param depends all that its outcome depends on, as JSON; null: on more than can be said */
export async function trialOf(depends: unknown, check: HashCheck): Promise<Trial> {
  if (check !== 'changed' || depends === null) return { isPassed: false, keep: () => undefined };
  const record = VerifiedRecord.here();
  const key = digestOf(['trial', depends]);
  const isPassed = (await record.get(key)) === key;
  return {
    isPassed,
    keep: () => {
      if (!isPassed) record.keep(key, key);
    },
  };
}
