/** The builder's command line. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { OWN_FOLDER } from './addon.mjs';
import { BuildError } from './progress.mjs';

export const USAGE = `Usage: npm run build -- [--cpu | --cuda | --metal | --vulkan | --prebuilt | --fastest]

  --cpu, --cuda, --metal, --vulkan   what to compute on besides the CPU; default: CUDA where nvcc is found, Metal on
                                     Apple silicon, otherwise the CPU alone
  --prebuilt                         link node-llama-cpp's compiled llama.cpp; compiles only libmtmd and the addon; a
                                     GPU's backend is then a package that is installed beside it
  --fastest                          what gives an answer soonest: the route of the addon that is there, else --prebuilt
                                     on Linux (a third of the time), elsewhere the source

Environment: ETA_VLM_CACHE (folder for llama.cpp's libraries), ETA_VLM_CMAKE_FLAGS (more -D flags for llama.cpp,
such as -DGGML_NATIVE=OFF for an addon that is shipped to other machines).`;

const BACKENDS = ['cpu', 'cuda', 'metal', 'vulkan'];

/** @returns {{ backend: string, isPrebuilt: boolean, cmakeFlags: string[], wantsHelp: boolean }} */
export function parseOptions(args, env = process.env) {
  let backend;
  let isPrebuilt = false;
  for (const arg of args.map((given) => (given === '--fastest' ? fastest() : given))) {
    if (arg === undefined) continue;
    if (arg === '--help' || arg === '-h') return { backend: 'cpu', isPrebuilt, cmakeFlags: [], wantsHelp: true };
    const name = arg.replace(/^--/, '');
    if (arg === '--prebuilt') isPrebuilt = true;
    else if (arg.startsWith('--') && BACKENDS.includes(name)) {
      if (backend !== undefined && backend !== name) {
        throw new BuildError(`Expected one of --${BACKENDS.join(', --')}, received --${backend} and ${arg}.`, 2);
      }
      backend = name;
    } else throw new BuildError(`Unknown argument ${JSON.stringify(arg)}.\n${USAGE}`, 2);
  }
  const cmakeFlags = (env.ETA_VLM_CMAKE_FLAGS ?? '').split(/\s+/).filter((flag) => flag !== '');
  const wrong = cmakeFlags.find((flag) => !/^-D\w+(:\w+)?=/.test(flag));
  if (wrong !== undefined) {
    throw new BuildError(`Expected flags like -DGGML_NATIVE=OFF in ETA_VLM_CMAKE_FLAGS, received ${wrong}.`, 2);
  }
  if (isPrebuilt && (cmakeFlags.length > 0 || (backend !== undefined && backend !== 'cpu'))) {
    throw new BuildError(
      '--prebuilt links libraries that are compiled already: it takes no flags of llama.cpp, and no backend. ' +
        'That of a GPU is a package, which is loaded where it is installed: @node-llama-cpp/linux-x64-vulkan, -cuda.',
      2,
    );
  }
  return { backend: backend ?? (isPrebuilt ? 'cpu' : detectBackend(env)), isPrebuilt, cmakeFlags, wantsHelp: false };
}

/** The option that stands for it; undefined for the source. */
function fastest() {
  const isThere = existsSync(join(OWN_FOLDER, 'eta-vlm.node'));
  const isPrebuilt = isThere ? existsSync(join(OWN_FOLDER, 'loader.node')) : process.platform === 'linux';
  return isPrebuilt ? '--prebuilt' : undefined;
}

function detectBackend(env) {
  if (process.platform === 'darwin') return process.arch === 'arm64' ? 'metal' : 'cpu';
  return findProgram('nvcc', env) === undefined ? 'cpu' : 'cuda';
}

/** Full path of a program on the PATH, or undefined. */
export function findProgram(name, env = process.env) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    for (const ending of endings) {
      if (folder !== '' && existsSync(join(folder, name + ending))) return join(folder, name + ending);
    }
  }
  return undefined;
}
