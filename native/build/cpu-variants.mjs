/**
 * ggml's CPU backends, one for each generation of processor, from the corrected source. node-llama-cpp's own lack our
 * corrections, and their compiler keeps the sums of a matrix product in memory instead of registers.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { cachedBuild } from './cached-build.mjs';
import { variantsKey } from './keys.mjs';
import { LLAMA_TAG, PACKAGE_ROOT, processor } from './llama.mjs';
import { BuildError, run, stage } from './progress.mjs';

const PROJECT = join(PACKAGE_ROOT, 'native', 'build', 'cpu');
/** Written when all are there. */
const MARK = 'eta-vlm.json';
const FLAGS = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DBUILD_SHARED_LIBS=ON',
  '-DGGML_BACKEND_DL=ON',
  '-DGGML_CPU_ALL_VARIANTS=ON',
  '-DGGML_NATIVE=OFF',
  '-DGGML_OPENMP=OFF',
  '-DGGML_LLAMAFILE=ON', // as llama.cpp's own project sets it
  '-DGGML_METAL=OFF',
  '-DGGML_BLAS=OFF',
  '-DGGML_CCACHE=OFF',
];

/**
 * Builds them where they are not in the cache yet.
 *
 * @param {object} options
 * @param {string} options.binaries folder of node-llama-cpp's libraries, which these are loaded with
 * @param {boolean} options.forAllProcessors all of them, some minutes; otherwise the one that ggml takes on this machine
 * @param {string[]} [options.crossFlags] CMake's flags for another platform
 * @param {string} compiler description of the compiler, part of the key
 * @param {string} log
 * @returns {Promise<{ key: string, files: string[] }>}
 */
export async function cpuVariants({ binaries, forAllProcessors, crossFlags = [] }, compiler, log) {
  const flags = [...FLAGS, ...crossFlags];
  const wanted = forAllProcessors ? 'all' : processor(flags.filter((flag) => !flag.startsWith('-DGGML_NATIVE')));
  const key = variantsKey({ flags, compiler, wanted });
  const folder = await cachedBuild({ kind: 'variants', key, mark: MARK, log }, async ({ source, build, folder }) => {
    const places = [`-DLLAMA_SOURCE=${source}`, `-DLLAMA_BINARIES=${binaries}`];
    await run('cmake', ['-S', PROJECT, '-B', build, ...flags, ...places], { log });
    const all = readFileSync(join(build, 'variants.txt'), 'utf8').trim().split('\n');
    const names = forAllProcessors ? all : [await variantOfThisMachine(build, binaries, log)];
    for (const name of names) await buildVariant(name, build, folder, log);
    writeFileSync(join(folder, MARK), `${JSON.stringify({ tag: LLAMA_TAG, compiler, flags, names }, null, 2)}\n`);
  });
  return { key, files: cpuLibraries(folder) };
}

/** One takes half a minute to two minutes: each is kept as soon as it is there, so that a killed build goes on. */
async function buildVariant(name, build, folder, log) {
  if (cpuLibraries(folder).some((file) => file.includes(`${name}.`))) return;
  await stage(`Built ${name}`, () =>
    run('cmake', ['--build', build, '--target', name, '--parallel', `${availableParallelism()}`], { log }),
  );
  for (const file of cpuLibraries(join(build, 'cpu'))) renameSync(file, join(folder, basename(file)));
}

/** Puts them beside an addon, where src/native looks for them first, in place of those of an earlier build. */
export function placeCpuVariants(files, beside) {
  const folder = join(beside, 'cpu');
  rmSync(folder, { recursive: true, force: true });
  if (files.length > 0) mkdirSync(folder, { recursive: true });
  for (const file of files) copyFileSync(file, join(folder, basename(file)));
}

/** Paths of the CPU backends in a folder. */
function cpuLibraries(folder) {
  return readdirSync(folder)
    .filter((name) => /^(lib)?ggml-cpu.*\.(so|dll|dylib)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** node-llama-cpp's libraries are of the same names and processors: they are asked, before ours are built. */
async function variantOfThisMachine(build, binaries, log) {
  await run('cmake', ['--build', build, '--target', 'eta-score'], { log });
  const candidates = cpuLibraries(binaries);
  try {
    const best = execFileSync(join(build, 'eta-score'), candidates, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return basename(best.trim())
      .replace(/^lib/, '')
      .replace(/\.\w+$/, '');
  } catch (error) {
    throw new BuildError(`Expected a CPU backend for this processor in ${binaries}, found none. ${error.stderr}`);
  }
}
