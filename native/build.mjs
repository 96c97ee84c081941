#!/usr/bin/env node
/** `npm run build`: llama.cpp's libraries (once a machine), the addon, the JavaScript; only what has changed. */
import { join } from 'node:path';
import { buildAddon, OWN_FOLDER } from './build/addon.mjs';
import { runCommand } from './build/command.mjs';
import { cpuVariants, placeCpuVariants } from './build/cpu-variants.mjs';
import { PACKAGE_ROOT } from './build/llama.mjs';
import { parseOptions, USAGE } from './build/options.mjs';
import { prebuiltLibraries } from './build/prebuilt.mjs';
import { checkPrerequisites } from './build/prerequisites.mjs';
import { llamaLibraries } from './build/source-libraries.mjs';
import { buildTypeScript } from './build/typescript.mjs';

const log = (name) => join(PACKAGE_ROOT, 'build', `${name}.log`);

async function main(args) {
  const options = parseOptions(args);
  if (options.wantsHelp) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const compiler = checkPrerequisites(options);
  const libraries = options.isPrebuilt
    ? await prebuiltLibraries(compiler, log('llama'))
    : { ...(await llamaLibraries(options, compiler, log('llama'))), route: 'source' };
  await buildAddon(libraries, log('addon'));
  const isForThisMachine = { binaries: libraries.binaries, forAllProcessors: false };
  const backends = options.isPrebuilt ? await cpuVariants(isForThisMachine, compiler, log('cpu')) : { files: [] };
  placeCpuVariants(backends.files, OWN_FOLDER);
  await buildTypeScript(log('typescript'));
}

await runCommand(main);
