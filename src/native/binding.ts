/** Loads the native addon, once a process. The only file that does. */
import { createRequire } from 'node:module';
import { EngineError } from '../errors.js';
import { type AddonPlace, findAddon } from './addon-place.js';
import type { NativeBinding } from './binding-types.js';
import { BINDING_VERSION, LLAMA_TAG } from './llama-version.js';
import { type GpuPackage, ownProcessorFolder, type SharedLibraries, sharedLibraries } from './shared-libraries.js';

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

const requireFromHere = createRequire(import.meta.url);
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
  let binding: NativeBinding;
  try {
    if (libraries !== undefined) openLibraries(libraries);
    binding = requireFromHere(path) as NativeBinding;
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

/** What is required may be anything: a path can name any file. */
function checkVersions(
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
  const { open } = requireFromHere(loader) as LibraryLoader;
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

/** Why none of its files is loaded, or null. */
function startGpu(binding: NativeBinding, loader: string, { files, problem }: GpuPackage): string | null {
  if (problem !== undefined) return problem;
  const { open } = requireFromHere(loader) as LibraryLoader;
  const reasons: string[] = [];
  for (const file of files) {
    try {
      open(file); // which says why it cannot be; ggml does not
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
