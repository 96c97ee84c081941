/** Keys of what is kept in the cache folder: another key, another folder, so that nothing stale is taken. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LLAMA_TAG } from './llama.mjs';
import { patchesHash } from './patches.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));

/**
 * The clones of one machine share a cache, so their paths do not count, and neither do line ends.
 *
 * @param {unknown[]} facts tag, patches, compiler, flags
 * @param {string[]} sources files and folders of native/build that it is made with
 * @param {string} [folder] another native/build than this one
 */
function cacheKey(facts, sources, folder = HERE) {
  const hash = createHash('sha256').update(JSON.stringify(facts));
  for (const name of sources.flatMap((source) => filesIn(folder, source))) {
    const text = readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n');
    hash.update(`\0${name}\0`).update(text);
  }
  return hash.digest('hex').slice(0, 12);
}

/** By names with forward slashes, sorted. */
function filesIn(folder, name) {
  if (!statSync(join(folder, name)).isDirectory()) return [name];
  const inside = readdirSync(join(folder, name)).sort();
  return inside.flatMap((one) => filesIn(folder, `${name}/${one}`));
}

/** Key of libmtmd for this machine. */
export function multimodalKey(compiler, flags, folder) {
  return cacheKey([LLAMA_TAG, patchesHash('tools/mtmd/'), compiler, process.arch, flags], ['mtmd'], folder);
}

/** Key of libmtmd, and of what an addon is linked with, for the target that the compiler's description names. */
export function crossKey(compiler, folder) {
  const sources = ['mtmd', 'targets.mjs', 'import-libraries.mjs', 'zig.cmake', 'zig-arm.mjs'];
  return cacheKey([LLAMA_TAG, patchesHash('tools/mtmd/'), compiler], sources, folder);
}

/** Key of the CPU backends that are wanted. */
export function variantsKey({ flags, compiler, wanted }, folder) {
  const facts = [LLAMA_TAG, patchesHash('ggml/'), flags, compiler, process.platform, process.arch, wanted];
  const isCross = flags.some((flag) => flag.startsWith('-DCMAKE_TOOLCHAIN_FILE='));
  return cacheKey(facts, isCross ? ['cpu', 'zig.cmake', 'zig-arm.mjs'] : ['cpu'], folder);
}
