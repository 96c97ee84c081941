/** Finds and loads the native addon, once a process. The only file that does. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../errors.js';
import type { NativeBinding } from './binding-types.js';

const requireFromHere = createRequire(import.meta.url);
let loaded: NativeBinding | undefined;

/**
 * The addon: `build/Release/eta-vlm.node` of this package, or the file that the environment variable `ETA_VLM_ADDON` names.
 * @throws EngineError ERR_ADDON_NOT_FOUND when it has not been built, ERR_ADDON_INVALID when it cannot be loaded here or
 * was compiled from another llama.cpp than the one that is installed
 */
export function loadBinding(): NativeBinding {
  loaded ??= loadFrom(addonPath(), installedLlamaTag());
  return loaded;
}

/** @internal Loads the addon of a path and checks it against a llama.cpp tag. */
export function loadFrom(path: string, expectedTag: string): NativeBinding {
  if (!existsSync(path)) {
    throw new EngineError(
      'ERR_ADDON_NOT_FOUND',
      `Expected the native addon at ${path}, but there is no such file. Possible solutions:\n` +
        '- In the repository, build it: npm run build\n' +
        '- Installed as a dependency, build it: npx eta-vlm build\n' +
        '- Built elsewhere, name it: ETA_VLM_ADDON=/path/of/eta-vlm.node\n' +
        '- Bundled, leave eta-vlm out of the bundle (external) and unpack its .node file from the archive (asarUnpack)',
    );
  }
  let binding: NativeBinding;
  try {
    binding = requireFromHere(path) as NativeBinding;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError(
      'ERR_ADDON_INVALID',
      `Expected ${path} to load on ${process.platform} ${process.arch} with Node ${process.version}, but it does not: ${reason}\n` +
        'Build it again on this machine: npm run build',
      { cause: error },
    );
  }
  const tag = binding.build?.llamaTag;
  if (tag !== expectedTag) {
    throw new EngineError(
      'ERR_ADDON_INVALID',
      `Expected an addon of llama.cpp ${expectedTag}, as installed, but ${path} was built from ${tag ?? 'an unknown one'}. ` +
        'Build it again: npm run build',
    );
  }
  return binding;
}

function addonPath(): string {
  const override = process.env['ETA_VLM_ADDON'];
  if (override !== undefined && override !== '') return resolve(override);
  return join(packageRoot(), 'build', 'Release', 'eta-vlm.node');
}

/** This file is `<root>/src/native/binding.ts` or `<root>/dist/native/binding.js`. */
function packageRoot(): string {
  return resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
}

/** The llama.cpp tag inside the pinned node-llama-cpp, whose source the addon is compiled from. */
function installedLlamaTag(): string {
  try {
    const folder = dirname(dirname(requireFromHere.resolve('node-llama-cpp')));
    const release: unknown = JSON.parse(readFileSync(join(folder, 'llama', 'binariesGithubRelease.json'), 'utf8'));
    if (typeof release === 'object' && release !== null && 'release' in release) return String(release.release);
    throw new TypeError('no "release" in binariesGithubRelease.json');
  } catch (error) {
    throw new EngineError(
      'ERR_ADDON_INVALID',
      'Expected node-llama-cpp beside eta-vlm to compare the llama.cpp tag with, but it cannot be read. Install the dependencies: npm ci',
      { cause: error },
    );
  }
}
