/** Remembers from which content each output was made, so that a second build does nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT } from './llama.mjs';

/** That of this package. */
export const STAMP = join(PACKAGE_ROOT, 'build', 'stamp.json');

/** True when `name` was last made from content with this hash. */
export function isFresh(file, name, hash) {
  return read(file)[name] === hash;
}

export function remember(file, name, hash) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...read(file), [name]: hash }, null, 2)}\n`);
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {}; // no stamp, or a damaged one: everything is made again
  }
}
