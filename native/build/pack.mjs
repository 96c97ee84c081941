/** npm's tarballs. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from './llama.mjs';

/** The repository's own package.json. */
export const MANIFEST = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));

/** Packs a folder as npm would publish it. @returns {string} the tarball's path */
export function pack(folder, target) {
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', target];
  // npm is a script on Windows, which only a shell runs
  const said = execFileSync('npm', args, { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' });
  return join(target, said.trim().split('\n').at(-1) ?? '');
}
