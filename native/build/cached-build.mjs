/** What is built from llama.cpp's source and kept in the cache folder, once for all clones on this machine. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, LLAMA_TAG, packageOfLlama, unpackSource } from './llama.mjs';
import { stage, startLog } from './progress.mjs';

/**
 * Builds what is not there yet, in a folder of its own that is renamed when complete: a killed build leaves nothing
 * half-built, and of two at once the first to finish is kept.
 *
 * @param {object} wanted
 * @param {string} wanted.kind of what is built; with tag and key the name of its folder
 * @param {string} wanted.key (native/build/keys.mjs)
 * @param {string} [wanted.mark] a file that says that the folder is complete, where `build` fills it piece by piece by itself
 * @param {string} wanted.log
 * @param {(places: Places) => Promise<void>} build fills `done`, or `folder` up to its mark
 * @param {(folder: string, log: string) => Promise<void>} [unpack] fills the folder of the source
 * @returns {Promise<string>} the folder in the cache
 *
 * @typedef {object} Places
 * @property {string} source llama.cpp's, corrected
 * @property {string} build for the compiler's files
 * @property {string} done becomes the folder in the cache
 * @property {string} folder that one itself
 */
export async function cachedBuild({ kind, key, mark, log }, build, unpack = unpackLlama) {
  const folder = cachedFolder(kind, key);
  const root = dirname(folder);
  if (existsSync(mark === undefined ? folder : join(folder, mark))) return folder;

  startLog(log);
  mkdirSync(mark === undefined ? root : folder, { recursive: true });
  removeAbandoned(root);
  const work = join(root, `.building-${process.pid}-${key}`);
  const remove = () => rmSync(work, { recursive: true, force: true });
  process.once('exit', remove);
  remove(); // what failed before
  const places = { source: join(work, 'source'), build: join(work, 'build'), done: join(work, 'done'), folder };
  await stage('Unpacked the source of llama.cpp', () => unpack(places.source, log));
  await build(places);
  if (mark === undefined) moveIntoPlace(places.done, folder);
  remove();
  return folder;
}

/** Where it is kept, whether it is there or not. */
export function cachedFolder(kind, key) {
  return join(cacheFolder(), 'llama.cpp', `${LLAMA_TAG}-${kind}-${key}`);
}

async function unpackLlama(folder, log) {
  await unpackSource(packageOfLlama(), folder, log);
}

function moveIntoPlace(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error; // otherwise another build was first, and its result is the same
  }
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
