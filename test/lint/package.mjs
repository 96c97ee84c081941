/** Packs the package as npm would publish it, and asks publint and are-the-types-wrong what its users will meet. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

// The package is ESM alone: what only CommonJS would meet is meant.
const RESOLUTIONS = ['node16-esm', 'bundler'];

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-pack-'));
let tarball;
try {
  const [name] = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    encoding: 'utf8',
    shell: process.platform === 'win32', // npm is a script there
  })
    .trim()
    .split('\n')
    .slice(-1);
  tarball = new Uint8Array(readFileSync(join(folder, name)));
} finally {
  rmSync(folder, { recursive: true });
}

const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
const faults = messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);

const { types, problems, entrypoints } = await checkPackage(createPackageFromTarballData(tarball));
if (types === false) faults.push('are-the-types-wrong: the package has no types');
for (const problem of problems ?? []) {
  if ('resolutionKind' in problem && !RESOLUTIONS.includes(problem.resolutionKind)) continue;
  faults.push(`are-the-types-wrong: ${JSON.stringify(problem)}`);
}

for (const fault of faults) console.error(fault);
const size = (tarball.length / 1e6).toFixed(1);
console.log(`Package of ${size} MB, ${Object.keys(entrypoints ?? {}).length} entry points: ${faults.length} faults`);
if (faults.length > 0) process.exitCode = 1;
