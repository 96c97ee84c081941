/** llama.cpp's source, from the pinned node-llama-cpp, and what the builder asks about the machine and its files. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyPatches } from './patches.mjs';
import { BuildError, run } from './progress.mjs';

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

/** Native code runs on its own kind of processor: a cache that travels (a home folder, a container) must not mix them. */
export function processor(flags) {
  if (flags.some((flag) => /^-DGGML_NATIVE(:BOOL)?=(OFF|0)$/i.test(flag))) return 'any';
  const features = existsSync('/proc/cpuinfo')
    ? /^(flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))
    : null;
  return `${cpus()[0]?.model} ${features?.[0] ?? ''}`;
}

/** The source of the tag with our corrections. */
export async function unpackSource(packageFolder, folder, log) {
  const bundle = join(packageFolder, 'llama', 'gitRelease.bundle');
  await run('git', ['-c', 'advice.detachedHead=false', 'clone', '--quiet', bundle, folder], { log });
  await applyPatches(folder, log);
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
