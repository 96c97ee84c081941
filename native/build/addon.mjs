/** The addon itself: build/Release/eta-vlm.node. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { contentHash, LLAMA_TAG, PACKAGE_ROOT } from './llama.mjs';
import { run, say, stage, startLog } from './progress.mjs';
import { isFresh, remember, STAMP } from './stamp.mjs';

const requireFromHere = createRequire(import.meta.url);

const BUILD = join(PACKAGE_ROOT, 'build');

/** Where one's own build goes: there src/native looks for it. A loader beside it: it is of the prebuilt route. */
export const OWN_FOLDER = join(BUILD, 'Release');
const OWN = { folder: OWN_FOLDER, out: join(BUILD, 'addon'), name: 'addon' };

/** A place beside one's own build. Each has a stamp of its own: that of another place says nothing about its files. */
export function addonIn(folder) {
  return { folder, out: join(BUILD, 'addon-prebuilt'), name: `addon in ${relative(BUILD, folder)}` };
}

/**
 * @param libraries folder with include/ and lib/, the key of what they were built from, the route that they belong to
 * @param log file for what the compiler says
 * @param place folder for the addon, folder to compile in, name of the stamp; of the compiler, options besides
 */
export async function buildAddon({ folder, key, route, binaries }, log, place = OWN) {
  const { options = [] } = place;
  const sources = [join(PACKAGE_ROOT, 'native'), join(PACKAGE_ROOT, 'CMakeLists.txt')];
  const hash = contentHash(sources, [folder, key, route, ...options]);
  const files = route === 'prebuilt' ? ['eta-vlm.node', 'loader.node'] : ['eta-vlm.node'];
  const isThere = ({ folder: where, name }) =>
    files.every((file) => existsSync(join(where, file))) && isFresh(STAMP, name, hash);
  if (isThere(place)) {
    say(`up to date: ${join(place.folder, 'eta-vlm.node')}`);
    return;
  }
  if (isThere(OWN)) {
    for (const name of files) put(join(OWN.folder, name), join(place.folder, name));
    remember(STAMP, place.name, hash);
    return;
  }
  startLog(log);
  await stage('Built the addon', async () => {
    forgetOtherLibraries(place.out, folder);
    const cmakeJs = requireFromHere.resolve('cmake-js/bin/cmake-js');
    const common = ['--directory', PACKAGE_ROOT, '--out', place.out, '--config', 'Release', '--log-level', 'warn'];
    const definitions = {
      ETA_LLAMA_PREFIX: folder,
      ETA_LLAMA_TAG: LLAMA_TAG,
      ETA_ROUTE: route,
      ETA_BINARIES: binaries ?? '',
      ETA_OPTIONS: options.join(';'),
    };
    const defines = Object.entries(definitions).map(([name, value]) => `--CD${name}=${value}`);
    await run(process.execPath, [cmakeJs, 'configure', ...common, ...defines], { log });
    await run(process.execPath, [cmakeJs, 'build', ...common, '--parallel', `${availableParallelism()}`], { log });
    // A loader beside the addon says that it needs one.
    rmSync(join(place.folder, 'loader.node'), { force: true });
    for (const name of files) put(join(place.out, 'Release', name), join(place.folder, name));
  });
  remember(STAMP, place.name, hash);
}

/** CMake keeps the libraries that it has found, though the folder to look in be another now. */
function forgetOtherLibraries(out, folder) {
  const cache = join(out, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const lines = readFileSync(cache, 'utf8').split(/\r?\n/);
  const isOurs = lines.some((line) => line.startsWith('ETA_LLAMA_PREFIX:') && line.endsWith(`=${folder}`));
  if (!isOurs) rmSync(out, { recursive: true });
}

/** A running process may have the old file open: it is replaced, never written over. */
function put(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const temporary = `${to}.${process.pid}.new`;
  copyFileSync(from, temporary);
  renameSync(temporary, to);
}
