/**
 * `npm run site`: installs what the site alone needs, and builds it. Ends with 3 where that cannot be installed; then
 * nothing is known of the pages.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

/** @param {string[]} args */
function npm(...args) {
  const { status } = spawnSync('npm', args, { cwd: here, stdio: 'inherit', shell: process.platform === 'win32' });
  return status ?? 1;
}

/** npm leaves a copy of the lockfile where it has installed what that names. */
function isInstalled() {
  const left = `${here}node_modules/.package-lock.json`;
  if (!existsSync(left)) return false;
  const wanted = JSON.parse(readFileSync(`${here}package-lock.json`, 'utf8')).packages;
  const there = JSON.parse(readFileSync(left, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || there[path]?.version === version,
  );
}

if (!isInstalled() && npm('ci', '--no-audit', '--no-fund') !== 0) {
  console.error('Expected to install the packages of site/package-lock.json; the lines above say what is in the way.');
  process.exit(3);
}
process.exit(npm('run', '--silent', 'build', '--', ...process.argv.slice(2)));
