#!/usr/bin/env node
/** `npm run package`: eta-vlm and a platform's compiled addon as npm's tarballs, in build/packages. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addonIn, buildAddon } from './build/addon.mjs';
import { runCommand } from './build/command.mjs';
import { cpuVariants, placeCpuVariants } from './build/cpu-variants.mjs';
import { crossBuild } from './build/cross.mjs';
import { PACKAGE_ROOT } from './build/llama.mjs';
import { packMain } from './build/main-package.mjs';
import { PLATFORMS, packPlatform } from './build/platform-package.mjs';
import { prebuiltLibraries } from './build/prebuilt.mjs';
import { checkPrerequisites } from './build/prerequisites.mjs';
import { BuildError, say, stage } from './build/progress.mjs';
import { buildTypeScript } from './build/typescript.mjs';

const HERE = `${process.platform}-${process.arch}`;
const USAGE = `Usage: npm run package -- [--platform ${PLATFORMS.join(' | ')}] [--without-cpu] [--registry]

  --platform      another platform than this one (${HERE}), compiled with zig; on macOS and Windows that is the only
                  way, because only on Linux one's own compiler makes a package for the machine itself
  --without-cpu   no CPU backends of our own (they take minutes, once): node-llama-cpp's are used then, many times
                  slower beside other work, and twice as slow with pictures
  --registry      for whoever owns the scope @eta-vlm and publishes every platform's package: eta-vlm asks the registry
                  for them. Without it nothing is asked for, and both tarballs are named to npm install.`;

const BUILD = join(PACKAGE_ROOT, 'build');

function parse(args) {
  const options = { platform: HERE, withCpu: true, forRegistry: false, wantsHelp: false };
  for (let at = 0; at < args.length; at++) {
    if (args[at] === '--help') options.wantsHelp = true;
    else if (args[at] === '--without-cpu') options.withCpu = false;
    else if (args[at] === '--registry') options.forRegistry = true;
    else if (args[at] === '--platform' && PLATFORMS.includes(args[at + 1])) options.platform = args[++at];
    else
      throw new BuildError(`Expected other arguments than ${JSON.stringify(args.slice(at).join(' '))}.\n${USAGE}`, 2);
  }
  return options;
}

/** Folder with the addon, its loader, and cpu/ where there are backends of our own. */
async function compiled({ platform, withCpu }) {
  if (platform !== HERE) return await crossBuild(platform, withCpu);
  if (process.platform !== 'linux') {
    throw new BuildError(
      `Expected another platform than this machine's own, received ${platform}: a package for it is compiled on Linux (there npm run package -- --platform ${platform}).`,
      2,
    );
  }
  const compiler = checkPrerequisites({ backend: 'cpu', isPrebuilt: true });
  const libraries = await prebuiltLibraries(compiler, join(BUILD, 'llama.log'));
  // Beside one's own build, which stays as it is.
  const folder = join(BUILD, 'targets', platform);
  await buildAddon(libraries, join(BUILD, 'addon.log'), addonIn(folder));
  const own = { binaries: libraries.binaries, forAllProcessors: true };
  const { files } = withCpu ? await cpuVariants(own, compiler, join(BUILD, 'cpu.log')) : { files: [] };
  placeCpuVariants(files, folder);
  return folder;
}

async function main(args) {
  const options = parse(args);
  if (options.wantsHelp) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const folder = await compiled(options);
  await buildTypeScript(join(BUILD, 'typescript.log'));
  const packages = join(BUILD, 'packages');
  mkdirSync(packages, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'eta-vlm-packages-'));
  try {
    const tarballs = await stage('Packed', async () => [
      packMain(work, options.forRegistry, packages),
      packPlatform(work, { platform: options.platform, compiled: folder }, packages),
    ]);
    process.stdout.write(`${tarballs.join('\n')}\n`);
    say(`In your project: npm install --ignore-scripts ${tarballs.map((path) => JSON.stringify(path)).join(' ')}`);
  } finally {
    rmSync(work, { recursive: true });
  }
}

await runCommand(main);
