/** The addon itself: build/Release/eta-vlm.node. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { contentHash, LLAMA_TAG, PACKAGE_ROOT } from './llama.mjs';
import { run, say, stage, startLog } from './progress.mjs';
import { isFresh, remember, STAMP } from './stamp.mjs';

const requireFromHere = createRequire(import.meta.url);
const RELEASE = join(PACKAGE_ROOT, 'build', 'Release');

/**
 * @param libraries folder with include/ and lib/, and the key of what they were built from
 * @param runtimeFiles shared libraries that must lie beside the addon (prebuilt route)
 */
export async function buildAddon({ folder, key, route, runtimeFiles, binaries }, log) {
  const output = join(RELEASE, 'eta-vlm.node');
  const hash = contentHash([join(PACKAGE_ROOT, 'native'), join(PACKAGE_ROOT, 'CMakeLists.txt')], [folder, key, route]);
  const needed = [output, ...runtimeFiles.map((file) => join(RELEASE, basename(file)))];
  if (needed.every((file) => existsSync(file)) && isFresh(STAMP, 'addon', hash)) {
    say(`up to date: ${output}`);
    return;
  }
  startLog(log);
  await stage('Built the addon', async () => {
    const out = join(PACKAGE_ROOT, 'build', 'addon');
    forgetOtherLibraries(out, folder);
    const cmakeJs = requireFromHere.resolve('cmake-js/bin/cmake-js');
    const common = ['--directory', PACKAGE_ROOT, '--out', out, '--config', 'Release', '--log-level', 'warn'];
    const definitions = {
      ETA_LLAMA_PREFIX: folder,
      ETA_LLAMA_TAG: LLAMA_TAG,
      ETA_ROUTE: route,
      ETA_BINARIES: binaries ?? '',
    };
    const defines = Object.entries(definitions).map(([name, value]) => `--CD${name}=${value}`);
    await run(process.execPath, [cmakeJs, 'configure', ...common, ...defines], { log });
    await run(process.execPath, [cmakeJs, 'build', ...common, '--parallel', `${availableParallelism()}`], { log });
    removeOtherLibraries(runtimeFiles);
    for (const file of runtimeFiles) place(file, join(RELEASE, basename(file)));
    place(join(out, 'Release', 'eta-vlm.node'), output);
  });
  remember(STAMP, 'addon', hash);
}

/** CMake keeps the libraries that it has found, though the folder to look in be another now. */
function forgetOtherLibraries(out, folder) {
  const cache = join(out, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const lines = readFileSync(cache, 'utf8').split(/\r?\n/);
  const isOurs = lines.some((line) => line.startsWith('ETA_LLAMA_PREFIX:') && line.endsWith(`=${folder}`));
  if (!isOurs) rmSync(out, { recursive: true });
}

/** Backends of an earlier build would be loaded with ours. */
function removeOtherLibraries(runtimeFiles) {
  if (!existsSync(RELEASE)) return;
  const wanted = new Set(runtimeFiles.map((file) => basename(file)));
  for (const name of readdirSync(RELEASE)) {
    if (/^lib(ggml|llama).*\.so$/.test(name) && !wanted.has(name)) rmSync(join(RELEASE, name));
  }
}

/** A running process may have the old file open: it is replaced, never written over. */
function place(from, to) {
  mkdirSync(RELEASE, { recursive: true });
  const temporary = `${to}.${process.pid}.new`;
  copyFileSync(from, temporary);
  renameSync(temporary, to);
}
