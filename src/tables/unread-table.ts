/** What is said of a table that cannot be read at all. */
import { FileError } from '../errors.js';
import type { FileBytes } from './file-bytes.js';

/**
 * Of a file that is empty, or of another kind than its name or its reader says.
 *
 * @param kind such as "a parquet file"
 * @param mark how such a file begins
 */
export function foreignTable({ what, byteLength }: FileBytes, kind: string, mark: string): FileError {
  const received = byteLength === 0 ? 'an empty file' : `something else, which does not begin with ${mark}`;
  return new FileError(
    'ERR_FILE_INVALID',
    `${what}: expected ${kind}, received ${received}. Write it anew, or name another.`,
  );
}

/** @throws FileError ERR_FILE_INVALID for a column that stands twice: nobody could say which of the two is meant */
export function checkColumns(what: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name))
      throw new FileError(
        'ERR_FILE_INVALID',
        `${what}: expected each column once, received ${JSON.stringify(name)} twice. Name one of the two otherwise.`,
      );
    if (name !== '') seen.add(name);
  }
}
