/** Loads the native addon, once a process. The only file that does. */
import { existsSync, readdirSync } from 'node:fs';
import { join, toNamespacedPath } from 'node:path';
import { EngineError } from '../errors.js';
import { libraryProblem } from '../library-file.js';
import { type AddonPlace, findAddon } from './addon-place.js';
import type { NativeBinding } from './binding-types.js';
import { BINDING_VERSION, LLAMA_TAG } from './llama-version.js';
import {
  type GpuPackage,
  installLine,
  ownProcessorFolder,
  type SharedLibraries,
  sharedLibraries,
} from './shared-libraries.js';

/** A package for a GPU that is installed, and whether its backend is loaded. */
interface GpuBackendFacts {
  /** Such as "@node-llama-cpp/linux-x64-vulkan". */
  readonly package: string;
  /** Why it is not loaded, null where it is. */
  readonly problem: string | null;
}

/** What was loaded, and from where. */
export interface LoadedAddon {
  readonly binding: NativeBinding;
  /** Folder of the backends for the processor; null for an addon that has them compiled in. */
  readonly processorBackends: string | null;
  /** Whether every number of threads computes the same bits. */
  readonly threadsKeepBits: boolean;
  readonly gpuBackends: readonly GpuBackendFacts[];
}

/** What native/loader gives. */
interface LibraryLoader {
  /** @throws Error with the system's reason */
  open(path: string): void;
}

/** What ggml takes for a backend for the processor. */
const PROCESSOR_BACKEND = /^(lib)?ggml-cpu.*\.(so|dylib|dll)$/;

/** What was loaded on this thread, by its path. */
const addons = new Map<string, unknown>();
let loaded: (LoadedAddon & { readonly place: AddonPlace }) | undefined;

/**
 * The addon, from the first place that has one (src/native/addon-place.ts).
 * @throws EngineError ERR_ADDON_NOT_FOUND when there is none, ERR_ADDON_INVALID when it cannot be loaded here, was compiled
 * from another llama.cpp, or lacks its libraries
 */
export function loadBinding(): NativeBinding {
  return loadAddon().binding;
}

/** The same, with where it was found and what was loaded beside it. @throws as loadBinding */
export function loadAddon(): LoadedAddon & { readonly place: AddonPlace } {
  if (loaded === undefined) {
    const place = findAddon();
    loaded = { ...loadFrom(place.path, LLAMA_TAG, REMEDIES[place.origin]), place };
  }
  return loaded;
}

/** What to do about an addon that cannot be used, by where it was found. */
const REMEDIES: Readonly<Record<AddonPlace['origin'], string>> = {
  ETA_VLM_ADDON: 'The environment variable ETA_VLM_ADDON names it: unset it, or name another.',
  'own build': 'Build it again: npx eta-vlm build; in the repository npm run build.',
  'platform package': 'Install eta-vlm and its platform package again, or build it here: npx eta-vlm build.',
};

/** @internal Loads the addon of a path and checks it against a llama.cpp tag. */
export function loadFrom(path: string, expectedTag: string, remedy = REMEDIES['own build']): LoadedAddon {
  const libraries = sharedLibraries(path);
  checkWhole([path], remedy);
  if (libraries !== undefined) checkLibraries(libraries, remedy);
  let binding: NativeBinding;
  try {
    if (libraries !== undefined) openLibraries(libraries);
    binding = loadLibrary(path) as NativeBinding;
  } catch (error) {
    throw new EngineError(
      'ERR_ADDON_INVALID',
      `Expected ${path} to load on ${process.platform} ${process.arch} with Node ${process.version}, but it does not: ${reasonOf(error)}\n${remedy}`,
      { cause: error },
    );
  }
  checkVersions(binding, path, expectedTag, remedy);
  if (libraries === undefined) return { binding, processorBackends: null, threadsKeepBits: true, gpuBackends: [] };
  const processorBackends = startProcessor(binding, libraries);
  const threadsKeepBits = keepsBits(path, processorBackends);
  return { binding, processorBackends, threadsKeepBits, gpuBackends: startGpus(binding, libraries) };
}

/** By the system and never by `require`, which would run a file of another name as JavaScript. */
function loadLibrary(path: string): unknown {
  if (!addons.has(path)) {
    const module = { exports: {} };
    process.dlopen(module, toNamespacedPath(path));
    addons.set(path, module.exports);
  }
  return addons.get(path);
}

/** All that will be opened besides the addon; backends for a GPU are looked at one by one. */
function checkLibraries({ loader, paths, processorFolders }: SharedLibraries, remedy: string): void {
  checkWhole([loader], remedy);
  checkWhole(paths, `Install them again: ${installLine()}`);
  for (const folder of processorFolders) {
    const files = existsSync(folder) ? readdirSync(folder) : [];
    const backends = files.filter((file) => PROCESSOR_BACKEND.test(file)).map((file) => join(folder, file));
    checkWhole(backends, `${remedy} Those of node-llama-cpp: ${installLine()}`);
  }
}

function checkWhole(paths: readonly string[], remedy: string): void {
  for (const path of paths) {
    const problem = libraryProblem(path);
    if (problem === null) continue;
    throw new EngineError(
      'ERR_ADDON_INVALID',
      `Expected a whole library for ${process.platform} at ${path}, received ${problem}. ${remedy}`,
    );
  }
}

/** @internal A path can name any addon. */
export function checkVersions(
  binding: Partial<NativeBinding> | null,
  path: string,
  expectedTag: string,
  remedy: string,
): void {
  const { llamaTag, bindingVersion } = binding?.build ?? {};
  if (llamaTag === expectedTag && bindingVersion === BINDING_VERSION) return;
  const received =
    llamaTag === undefined
      ? 'is none of eta-vlm'
      : llamaTag === expectedTag
        ? 'was built from another version of eta-vlm'
        : `was built from ${llamaTag}`;
  throw new EngineError(
    'ERR_ADDON_INVALID',
    `Expected an addon of this eta-vlm and llama.cpp ${expectedTag}, but ${path} ${received}. ${remedy}`,
  );
}

/**
 * @internal Whether the code for the processor has our corrections: compiled in, or from the folder beside the addon. With
 * node-llama-cpp's an answer depends on the number of threads.
 */
export function keepsBits(addon: string, processorBackends: string | null): boolean {
  return processorBackends === null || processorBackends === ownProcessorFolder(addon);
}

function openLibraries({ loader, paths }: SharedLibraries): void {
  const { open } = loadLibrary(loader) as LibraryLoader;
  for (const path of paths) open(path);
}

/** @internal The folder that the process has its backend for the processor from. */
export function startProcessor(
  binding: Pick<NativeBinding, 'loadBackends'>,
  { processorFolders }: Pick<SharedLibraries, 'processorFolders'>,
): string {
  for (const place of processorFolders) {
    const folder = binding.loadBackends(place);
    if (folder !== null) return folder;
  }
  throw new EngineError(
    'ERR_ADDON_INVALID',
    `Expected a backend for this processor in ${processorFolders.join(' or ')}, found none. ` +
      'Install the packages again, or build the addon here: npx eta-vlm build',
  );
}

/** A backend that does not load is told by doctor, and the processor computes. */
function startGpus(binding: NativeBinding, { loader, gpuPackages }: SharedLibraries): GpuBackendFacts[] {
  return gpuPackages.map((gpu) => {
    const earlier = binding.devices().find(({ type }) => type === 'gpu' || type === 'integrated-gpu');
    const problem = earlier === undefined ? startGpu(binding, loader, gpu) : `${earlier.name} is there already`;
    return { package: gpu.name, problem };
  });
}

/** @internal Why none of its files is loaded, or null. */
export function startGpu(
  binding: Pick<NativeBinding, 'loadBackend'>,
  loader: string,
  { name, files, problem }: GpuPackage,
): string | null {
  if (problem !== undefined) return problem;
  const reasons: string[] = [];
  for (const file of files) {
    const damage = libraryProblem(file);
    if (damage !== null) {
      reasons.push(`expected a whole library at ${file}, received ${damage}: install ${name} again`);
      continue;
    }
    try {
      (loadLibrary(loader) as LibraryLoader).open(file); // which says why it cannot be; ggml does not
      binding.loadBackend(file);
      return null;
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  return reasons.length === 0 ? 'the package has no library for this platform' : reasons.join('; ');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
