/** llama.cpp's source (from the pinned node-llama-cpp) and its libraries, built once for all clones on this machine. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from './options.mjs';
import { applyPatches, patchesHash } from './patches.mjs';
import { BuildError, run, say, stage, startLog } from './progress.mjs';

/** The tag that native/*.cpp is written for. */
export const LLAMA_TAG = 'v0.5.0';

const requireFromHere = createRequire(import.meta.url);

/** Folder of the installed node-llama-cpp, checked to hold the source of our tag. */
export function packageOfLlama() {
  let folder;
  try {
    folder = dirname(dirname(requireFromHere.resolve('node-llama-cpp')));
  } catch {
    throw new BuildError('Expected node-llama-cpp in node_modules, which carries the source of llama.cpp. Run npm ci.');
  }
  const { release } = JSON.parse(readFileSync(join(folder, 'llama', 'binariesGithubRelease.json'), 'utf8'));
  if (release !== LLAMA_TAG) {
    throw new BuildError(
      `Expected llama.cpp ${LLAMA_TAG}, for which the addon is written, but node-llama-cpp carries ${release}. Run npm ci.`,
    );
  }
  return folder;
}

/** Where libraries are kept: ETA_VLM_CACHE, or the platform's folder for such things. */
export function cacheFolder(env = process.env) {
  if (env.ETA_VLM_CACHE) return env.ETA_VLM_CACHE;
  if (process.platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'eta-vlm');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'eta-vlm');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'eta-vlm');
}

function backendFlags(backend) {
  switch (backend) {
    case 'cuda':
      // The GPUs of this machine, where they can be asked; otherwise llama.cpp's own list.
      return ['-DGGML_CUDA=ON', ...(findProgram('nvidia-smi') ? ['-DCMAKE_CUDA_ARCHITECTURES=native'] : [])];
    case 'vulkan':
      return ['-DGGML_VULKAN=ON'];
    case 'metal':
      return ['-DGGML_METAL=ON', '-DGGML_METAL_EMBED_LIBRARY=ON'];
    default:
      return process.platform === 'darwin' ? ['-DGGML_METAL=OFF'] : [];
  }
}

function configureFlags({ backend, cmakeFlags }) {
  const off = ['COMMON', 'TOOLS', 'TESTS', 'EXAMPLES', 'SERVER', 'APP'].map((part) => `-DLLAMA_BUILD_${part}=OFF`);
  return [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DCMAKE_MSVC_RUNTIME_LIBRARY=MultiThreaded',
    '-DBUILD_SHARED_LIBS=OFF',
    '-DCMAKE_POSITION_INDEPENDENT_CODE=ON',
    '-DLLAMA_BUILD_MTMD=ON',
    ...off,
    '-DLLAMA_OPENSSL=OFF',
    '-DLLAMA_SUBPROCESS=OFF',
    '-DMTMD_VIDEO=OFF',
    '-DGGML_NATIVE=ON',
    // ggml's own threads: our patch of their barrier, and no libgomp to be found at run time.
    '-DGGML_OPENMP=OFF',
    ...backendFlags(backend),
    ...cmakeFlags,
  ];
}

/** Native code runs on its own kind of processor: a cache that travels (a home folder, a container) must not mix them. */
export function processor(flags) {
  if (flags.some((flag) => /^-DGGML_NATIVE(:BOOL)?=(OFF|0)$/i.test(flag))) return 'any';
  const features = existsSync('/proc/cpuinfo')
    ? /^(flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))
    : null;
  return `${cpus()[0]?.model} ${features?.[0] ?? ''}`;
}

/** Where the libraries of these options are, or will be. */
function librariesPlace(options, compiler) {
  const flags = configureFlags(options);
  const key = createHash('sha256')
    .update(
      JSON.stringify([LLAMA_TAG, patchesHash(), flags, compiler, process.platform, process.arch, processor(flags)]),
    )
    .digest('hex')
    .slice(0, 12);
  const root = join(cacheFolder(), 'llama.cpp');
  return { flags, key, root, folder: join(root, `${LLAMA_TAG}-${options.backend}-${key}`) };
}

/**
 * Folder with include/ and lib/ of llama.cpp, ggml and libmtmd as static libraries.
 * Built in a folder of its own that is renamed when complete: a killed build leaves nothing half-built, and of two at
 * once the first to finish is kept.
 */
export async function llamaLibraries(options, compiler, log) {
  const source = packageOfLlama();
  const { flags, key, root, folder } = librariesPlace(options, compiler);
  if (existsSync(folder)) return { folder, key };

  startLog(log);
  mkdirSync(root, { recursive: true });
  removeAbandoned(root);
  const work = join(root, `.building-${process.pid}-${key}`);
  process.once('exit', () => rmSync(work, { recursive: true, force: true }));
  await stage('Unpacked the source of llama.cpp', () => unpackSource(source, join(work, 'source'), log));
  say(`Building llama.cpp ${LLAMA_TAG} for ${options.backend}, once for this machine; some minutes. Output: ${log}`);
  await stage('Built llama.cpp', async () => {
    const build = join(work, 'build');
    await run('cmake', ['-S', join(work, 'source'), '-B', build, ...flags], { log });
    await run('cmake', ['--build', build, '--config', 'Release', '--parallel', `${availableParallelism()}`], { log });
    await run('cmake', ['--install', build, '--config', 'Release', '--prefix', join(work, 'done')], { log });
    copyHashLibrary(build, join(work, 'done', 'lib'));
  });
  writeFileSync(
    join(work, 'done', 'eta-vlm.json'),
    `${JSON.stringify({ tag: LLAMA_TAG, compiler, flags }, null, 2)}\n`,
  );
  moveIntoPlace(join(work, 'done'), folder);
  rmSync(work, { recursive: true, force: true });
  return { folder, key };
}

/** The source of the tag with our corrections. */
export async function unpackSource(packageFolder, folder, log) {
  const bundle = join(packageFolder, 'llama', 'gitRelease.bundle');
  await run('git', ['-c', 'advice.detachedHead=false', 'clone', '--quiet', bundle, folder], { log });
  await applyPatches(folder, log);
}

export function moveIntoPlace(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error; // otherwise another build was first, and its result is the same
  }
}

/** A small library of libmtmd's that llama.cpp does not install. */
function copyHashLibrary(build, folder) {
  for (const name of readdirSync(join(build, 'vendor', 'hash'), { recursive: true })) {
    if (!/(^|[\\/])(lib)?vendor-hash\.(a|lib)$/.test(name)) continue;
    const target = join(folder, name.split(/[\\/]/).pop());
    copyFileSync(join(build, 'vendor', 'hash', name), target);
    return;
  }
  throw new BuildError(`Expected the library vendor-hash below ${build}, but there is none.`);
}

/** Folders of builds whose process is gone. */
function removeAbandoned(root) {
  for (const name of readdirSync(root)) {
    const pid = /^\.building-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Content of files below these paths as one hash; order and time of change do not matter. */
export function contentHash(paths, extra) {
  const hash = createHash('sha256').update(JSON.stringify(extra));
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true })
          .sort()
          .map((name) => join(path, name))
      : [path];
    for (const file of files) {
      if (statSync(file).isFile()) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

export const PACKAGE_ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
