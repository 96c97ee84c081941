#!/usr/bin/env node
/** `npm run package`: eta-vlm and this platform's compiled addon as npm's tarballs, in build/packages. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAddon } from './build/addon.mjs';
import { cpuVariants } from './build/cpu-variants.mjs';
import { PACKAGE_ROOT } from './build/llama.mjs';
import { packMain } from './build/main-package.mjs';
import { packPlatform } from './build/platform-package.mjs';
import { prebuiltLibraries } from './build/prebuilt.mjs';
import { checkPrerequisites } from './build/prerequisites.mjs';
import { BuildError, say, stage } from './build/progress.mjs';
import { buildTypeScript } from './build/typescript.mjs';

const USAGE = `Usage: npm run package -- [--registry]

  --registry   for whoever owns the scope @eta-vlm and publishes every platform's package: eta-vlm asks the registry for
               them. Without it nothing is asked for, and both tarballs are named to npm install.`;

const BUILD = join(PACKAGE_ROOT, 'build');

async function main(args) {
  const unknown = args.find((arg) => arg !== '--registry');
  if (unknown !== undefined) throw new BuildError(`Unknown argument ${JSON.stringify(unknown)}.\n${USAGE}`, 2);
  const compiler = checkPrerequisites({ backend: 'cpu', isPrebuilt: true });
  const libraries = await prebuiltLibraries(compiler, join(BUILD, 'llama.log'));
  // Beside one's own build, which stays as it is.
  const addon = join(BUILD, 'prebuilt');
  const place = { folder: addon, out: join(BUILD, 'addon-prebuilt'), name: 'prebuilt' };
  await buildAddon(libraries, join(BUILD, 'addon.log'), place);
  const { binaries } = libraries;
  const cpu = await cpuVariants({ binaries, forAllProcessors: true }, compiler, join(BUILD, 'cpu.log'));
  await buildTypeScript(join(BUILD, 'typescript.log'));
  const packages = join(BUILD, 'packages');
  rmSync(packages, { recursive: true, force: true });
  mkdirSync(packages, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'eta-vlm-packages-'));
  try {
    const tarballs = await stage('Packed', async () => [
      packMain(work, args.includes('--registry'), packages),
      packPlatform(work, { addon, cpuBackends: cpu.files }, packages),
    ]);
    process.stdout.write(`${tarballs.join('\n')}\n`);
  } finally {
    rmSync(work, { recursive: true });
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  say(error.message);
  process.exitCode = error.exitCode;
}
