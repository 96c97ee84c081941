/** llama.cpp, ggml and libmtmd as static libraries: the route from source. */
import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cachedBuild } from './cached-build.mjs';
import { LLAMA_TAG, processor } from './llama.mjs';
import { findProgram } from './options.mjs';
import { patchesHash } from './patches.mjs';
import { BuildError, run, say, stage } from './progress.mjs';

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

/**
 * @param {{ backend: string, cmakeFlags: string[] }} options
 * @param {string[]} programs what of llama.cpp beside its libraries is wanted
 */
export function configureFlags({ backend, cmakeFlags }, programs = []) {
  const parts = ['COMMON', 'TOOLS', 'TESTS', 'EXAMPLES', 'SERVER', 'APP'];
  const switches = parts.map((part) => `-DLLAMA_BUILD_${part}=${programs.includes(part) ? 'ON' : 'OFF'}`);
  return [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DCMAKE_MSVC_RUNTIME_LIBRARY=MultiThreaded',
    '-DBUILD_SHARED_LIBS=OFF',
    '-DCMAKE_POSITION_INDEPENDENT_CODE=ON',
    '-DLLAMA_BUILD_MTMD=ON',
    ...switches,
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

/** Key of what the whole patched source becomes with these flags. */
export function sourceKey(flags, compiler) {
  return createHash('sha256')
    .update(
      JSON.stringify([LLAMA_TAG, patchesHash(), flags, compiler, process.platform, process.arch, processor(flags)]),
    )
    .digest('hex')
    .slice(0, 12);
}

/** Folder with include/ and lib/ of llama.cpp, ggml and libmtmd, and its key. */
export async function llamaLibraries(options, compiler, log) {
  const flags = configureFlags(options);
  const key = sourceKey(flags, compiler);
  const folder = await cachedBuild({ kind: options.backend, key, log }, async ({ source, build, done }) => {
    say(`Building llama.cpp ${LLAMA_TAG} for ${options.backend}, once for this machine; some minutes. Output: ${log}`);
    await stage('Built llama.cpp', async () => {
      await run('cmake', ['-S', source, '-B', build, ...flags], { log });
      await run('cmake', ['--build', build, '--config', 'Release', '--parallel', `${availableParallelism()}`], { log });
      await run('cmake', ['--install', build, '--config', 'Release', '--prefix', done], { log });
      copyHashLibrary(build, join(done, 'lib'));
    });
    writeFileSync(join(done, 'eta-vlm.json'), `${JSON.stringify({ tag: LLAMA_TAG, compiler, flags }, null, 2)}\n`);
  });
  return { folder, key };
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
