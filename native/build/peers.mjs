/** llama.cpp's own programs, from the source, the patches and the flags of the addon's libraries: what benchmarks hold against. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cachedBuild, cachedFolder } from './cached-build.mjs';
import { LLAMA_TAG } from './llama.mjs';
import { parseOptions } from './options.mjs';
import { checkPrerequisites } from './prerequisites.mjs';
import { BuildError, run, say, stage } from './progress.mjs';
import { configureFlags, sourceKey } from './source-libraries.mjs';

/** The programs, without the ending that Windows gives them. */
export const PEERS = ['llama-server', 'llama-bench', 'llama-mtmd-cli'];

const ENDING = process.platform === 'win32' ? '.exe' : '';
/** Without its web page, which is built with npm or fetched: nothing is asked of a network. */
const PROGRAM_FLAGS = ['-DLLAMA_BUILD_UI=OFF', '-DLLAMA_USE_PREBUILT_UI=OFF'];

/** What is built and where it is kept; the backend is the one that `npm run build` takes by itself. */
function place() {
  const options = parseOptions([]);
  const compiler = checkPrerequisites(options);
  const flags = [...configureFlags(options, ['COMMON', 'TOOLS', 'SERVER']), ...PROGRAM_FLAGS];
  return { kind: `peers-${options.backend}`, key: sourceKey(flags, compiler), flags, compiler };
}

/** The folder of programs that are built already: ETA_VLM_PEERS, or where {@link buildPeers} puts them. */
export function findPeers(env = process.env) {
  const { kind, key } = env.ETA_VLM_PEERS ? { kind: '', key: '' } : place();
  const folder = env.ETA_VLM_PEERS || cachedFolder(kind, key);
  const missing = PEERS.find((name) => !existsSync(join(folder, name + ENDING)));
  if (missing === undefined) return folder;
  const COULD_NOT_RUN = 3;
  throw new BuildError(
    `Expected ${missing} in ${folder}, but it is not there. Build llama.cpp's programs with npm run bench:peers:build ` +
      '(some minutes, once a machine), or name a folder that has them in ETA_VLM_PEERS.',
    COULD_NOT_RUN,
  );
}

/** @returns {Promise<string>} the folder with the programs */
export async function buildPeers(log) {
  const { kind, key, flags, compiler } = place();
  return await cachedBuild({ kind, key, log }, async ({ source, build, done }) => {
    say(`Building ${PEERS.join(', ')} of llama.cpp ${LLAMA_TAG}, once for this machine; some minutes. Output: ${log}`);
    await stage("Built llama.cpp's programs", async () => {
      await run('cmake', ['-S', source, '-B', build, ...flags], { log });
      const how = ['--config', 'Release', '--parallel', `${availableParallelism()}`, '--target', ...PEERS];
      await run('cmake', ['--build', build, ...how], { log });
    });
    mkdirSync(done, { recursive: true });
    for (const name of PEERS) copyFileSync(compiled(build, name + ENDING), join(done, name + ENDING));
    writeFileSync(join(done, 'eta-vlm.json'), `${JSON.stringify({ tag: LLAMA_TAG, compiler, flags }, null, 2)}\n`);
  });
}

/** Visual Studio's generator has a folder for each configuration. */
function compiled(build, name) {
  const found = [join(build, 'bin', name), join(build, 'bin', 'Release', name)].find((path) => existsSync(path));
  if (found === undefined) throw new BuildError(`Expected ${name} below ${join(build, 'bin')}, but there is none.`);
  return found;
}
