/** What is said when a file cannot be written: which one, why, and what to do. */
import { FileError } from '../errors.js';
import { describePath } from '../options.js';

/** By the system's code; "" for all others. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room on the disk, or name a file on another.',
  EDQUOT: 'Make room within the quota, or name a file elsewhere.',
  EFBIG: 'Raise the limit on the size of files (ulimit -f), or name a file on another disk.',
  EMFILE: 'Raise the limit on open files (ulimit -n), and start again.',
  ENFILE: 'Close other programs, and start again.',
  EIO: 'Look after the disk, or name a file on another.',
  '': 'Name a file in a folder that can be written.',
};

/** What the system's code means, where its own words help nobody. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'you may not write there (EACCES)',
  EPERM: 'the system does not allow it (EPERM)',
  EROFS: 'its file system can only be read (EROFS)',
  ENOENT: 'the folder is not there, and cannot be made (ENOENT)',
  ENOTDIR: 'a file stands where a folder should (ENOTDIR)',
};

/** What to throw for what writing a file threw: {@link unwritable} where the system refused, else the error itself. */
export function refusedCall(path: string, error: unknown): unknown {
  const isFailedCall = error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined;
  return isFailedCall ? unwritable(path, error) : error;
}

/**
 * The error of a file that cannot be written.
 *
 * @param remedy what to do, in place of what fits the cause
 */
export function unwritable(path: string, cause: unknown, remedy?: string): FileError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const reason = REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new FileError(
    'ERR_FILE_WRITE',
    `Expected to write ${describePath(path)}, but it failed: ${reason}. ${remedy ?? REMEDIES[code] ?? REMEDIES['']}`,
    { cause },
  );
}
