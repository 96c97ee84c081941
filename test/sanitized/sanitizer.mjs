/** A build of llama.cpp and the addon under one of the compiler's sanitizers, beside one's own build. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildAddon } from '../../native/build/addon.mjs';
import { PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { checkPrerequisites } from '../../native/build/prerequisites.mjs';
import { BuildError } from '../../native/build/progress.mjs';
import { llamaLibraries } from '../../native/build/source-libraries.mjs';

/**
 * What each is asked for, how its functions are named that compiled code calls, the libraries that a program must have
 * loaded before anything else, and what it sees in planted.cpp.
 */
export const SANITIZERS = {
  address: {
    flag: '-fsanitize=address,undefined',
    calls: '__asan_',
    libraries: ['libasan.so', 'libubsan.so'],
    planted: [/signed integer overflow/, /heap-use-after-free/],
  },
  thread: {
    flag: '-fsanitize=thread',
    calls: '__tsan_',
    libraries: ['libtsan.so'],
    planted: [/data race/, /heap-use-after-free/],
  },
};

/** Lines and frames for the reports; little optimisation, so that it compiles in minutes. */
const COMMON = ['-O1', '-g1', '-fno-omit-frame-pointer'];

const flagsOf = (name) => [...COMMON, SANITIZERS[name].flag];

/** A library with faults that the sanitizer must see as soon as it is loaded. */
export function plantedFaults(name) {
  return compiled(name, 'planted', flagsOf(name));
}

function compiled(name, source, flags) {
  const library = join(PACKAGE_ROOT, 'build', 'sanitized', name, `${source}.so`);
  const path = join(PACKAGE_ROOT, 'test', 'sanitized', `${source}.cpp`);
  execFileSync('g++', ['-std=c++17', ...flags, '-shared', '-fPIC', path, '-o', library]);
  return library;
}

/** @returns path of the addon, whose libraries are built once for this machine */
export async function sanitizedAddon(name) {
  const flags = flagsOf(name).join(' ');
  const folder = join(PACKAGE_ROOT, 'build', 'sanitized', name);
  const log = join(PACKAGE_ROOT, 'build', `sanitized-${name}.log`);
  const compiler = checkPrerequisites({ backend: 'cpu', isPrebuilt: false });
  const cmakeFlags = ['C', 'CXX'].flatMap((language) => [
    `-DCMAKE_${language}_FLAGS=${flags}`,
    `-DCMAKE_${language}_FLAGS_RELEASE=-DNDEBUG`,
  ]);
  const libraries = await llamaLibraries({ backend: 'cpu', cmakeFlags }, compiler, log);
  const out = join(folder, 'compiled');
  const place = { folder, out, name: `addon under the ${name} sanitizer`, options: flagsOf(name) };
  await buildAddon({ ...libraries, route: 'source' }, log, place);
  expectWatched(name, join(out, 'CMakeFiles', 'eta-vlm.dir', 'native'));
  return join(folder, 'eta-vlm.node');
}

/** Of an object that was compiled without the sanitizer's flag nothing would be told, and its silence taken for a good sign. */
function expectWatched(name, folder) {
  const objects = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.o'));
  const { calls } = SANITIZERS[name];
  const blind = objects.filter((file) => !readFileSync(join(folder, file)).includes(calls));
  if (objects.length > 0 && blind.length === 0) return;
  throw new BuildError(
    `Expected ${objects.length || 'some'} objects of the addon to call ${calls}…, which those do not: ${blind.join(', ')}.`,
  );
}

/** Libraries to load first: the sanitizer's, and the C++ library whose exceptions it watches, which Node does not load. */
export function preloaded(name) {
  const { libraries } = SANITIZERS[name];
  const path = (file) => execFileSync('g++', [`-print-file-name=${file}`], { encoding: 'utf8' }).trim();
  return [...[...libraries, 'libstdc++.so.6'].map(path), compiled(name, 'report-path', [])].join(':');
}
