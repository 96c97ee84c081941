/** The addon, its loader and ggml's CPU backends for another platform: build/targets/<platform>. */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { cachedBuild } from './cached-build.mjs';
import { cpuVariants, placeCpuVariants } from './cpu-variants.mjs';
import { importLibraries } from './import-libraries.mjs';
import { crossKey } from './keys.mjs';
import { LLAMA_TAG, PACKAGE_ROOT } from './llama.mjs';
import { buildMultimodal } from './prebuilt.mjs';
import { run, say, stage, startLog } from './progress.mjs';
import { crossFlags, findZig, TARGETS, targetBinaries } from './targets.mjs';

const requireFromHere = createRequire(import.meta.url);
const PARALLEL = ['--parallel', `${availableParallelism()}`];

/**
 * @param {string} name one of TARGETS
 * @param {boolean} withCpuBackends false: node-llama-cpp's are used, as on Windows and macOS
 * @returns {Promise<string>} the folder
 */
export async function crossBuild(name, withCpuBackends) {
  const target = TARGETS[name];
  const { zig, version } = findZig();
  const flags = crossFlags(target, zig);
  const compiler = `zig ${version} ${target.triple}`;
  const folder = join(PACKAGE_ROOT, 'build', 'targets', name);
  const log = join(PACKAGE_ROOT, 'build', `${name}.log`);
  startLog(log);
  mkdirSync(folder, { recursive: true });
  const libraries = await multimodalLibrary(target, { flags, compiler, zig }, log);
  // npm installs node-llama-cpp's libraries of this system alone.
  const hasLibraries = target.system === 'Linux';
  const binaries = hasLibraries ? targetBinaries(target) : join(libraries, 'import');
  await stage(`Built the addon for ${name}`, () => addon({ flags, libraries, binaries, folder }, log));
  const own = { binaries, forAllProcessors: true, crossFlags: flags };
  const { files } = hasLibraries && withCpuBackends ? await cpuVariants(own, compiler, `${log}.cpu`) : { files: [] };
  placeCpuVariants(files, folder);
  say(`${folder}: ${readdirSync(folder).join(', ')}`);
  return folder;
}

/** libmtmd, kept as the libraries of this machine are. */
async function multimodalLibrary(target, { flags, compiler, zig }, log) {
  return await cachedBuild({ kind: 'mtmd', key: crossKey(compiler), log }, (places) =>
    stage('Built libmtmd', async () => {
      await buildMultimodal(places, [...flags, '-DCMAKE_BUILD_TYPE=Release'], log);
      if (target.system === 'Linux') return;
      await importLibraries(places.source, target, join(places.done, 'import'), zig, log);
    }),
  );
}

/** cmake-js would ask for this machine's compiler; what it passes is passed here. */
async function addon({ flags, libraries, binaries, folder }, log) {
  const build = join(folder, '.work');
  const output = join(build, 'output');
  rmSync(build, { recursive: true, force: true });
  const headers = [
    requireFromHere('node-api-headers').include_dir,
    dirname(requireFromHere.resolve('node-addon-api/package.json')),
  ];
  // Windows has no symbols that are found later: node.exe is linked with, too.
  const node = flags.includes('-DETA_SYSTEM=Windows') ? [`-DCMAKE_JS_LIB=${join(binaries, 'node.lib')}`] : [];
  const own = [
    '-DCMAKE_BUILD_TYPE=Release',
    `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${output}`,
    `-DCMAKE_JS_INC=${headers.join(';')}`,
    `-DETA_LLAMA_PREFIX=${libraries}`,
    `-DETA_LLAMA_TAG=${LLAMA_TAG}`,
    '-DETA_ROUTE=prebuilt',
    ...node,
    `-DETA_BINARIES=${binaries}`,
  ];
  await run('cmake', ['-S', PACKAGE_ROOT, '-B', build, ...flags, ...own], { log });
  await run('cmake', ['--build', build, ...PARALLEL], { log });
  for (const name of ['eta-vlm.node', 'loader.node']) copyFileSync(join(output, name), join(folder, name));
  rmSync(build, { recursive: true });
}
