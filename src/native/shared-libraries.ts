/**
 * Shared libraries that a prebuilt addon needs: node-llama-cpp's libllama and ggml, backends for the processor, and those
 * for a GPU whose package is installed. All are used where the package manager put them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../errors.js';
import { NODE_LLAMA_CPP_VERSION } from './llama-version.js';
import { packageFolder, packageVersion } from './package-folder.js';

const SCOPE = '@node-llama-cpp';

/** The first that computes is taken; CUDA's is the faster where both could. */
const GPU_KINDS = ['cuda', 'vulkan'] as const;

/** In the order in which they are opened: each needs those before it. */
const LIBRARIES = [
  /^(lib)?ggml-base\.(so|dylib|dll)$/,
  /^(lib)?ggml(\.\w+)?\.v[\d.]+\.(so|dylib|dll)$/,
  /^(lib)?llama(\.\w+)?\.v[\d.]+\.(so|dylib|dll)$/,
];

/** A backend for a GPU, in a package of its own. */
export interface GpuPackage {
  /** Such as "@node-llama-cpp/linux-x64-vulkan". */
  readonly name: string;
  /** Files to try, the first that loads; none where the package cannot be used. */
  readonly files: readonly string[];
  /** Why it cannot be used. */
  readonly problem: string | undefined;
}

export interface SharedLibraries {
  /** Opens a library by its path; src/native/binding.ts loads it. */
  readonly loader: string;
  /** libggml-base, libggml and libllama, in this order. */
  readonly paths: readonly string[];
  /** Folders of backends for the processor, the first that has one for this processor is taken: our own, then node-llama-cpp's. */
  readonly processorFolders: readonly string[];
  readonly gpuPackages: readonly GpuPackage[];
}

/** Where an addon's own backends for the processor lie, which have our corrections (native/patches); node-llama-cpp's lack them. */
export function ownProcessorFolder(addon: string): string {
  return join(dirname(addon), 'cpu');
}

/** As node-llama-cpp calls a platform. */
export function llamaPlatform(platform: string = process.platform, architecture: string = process.arch): string {
  const system = platform === 'darwin' ? 'mac' : platform === 'win32' ? 'win' : platform;
  return system === 'mac' && architecture === 'arm64' ? 'mac-arm64-metal' : `${system}-${architecture}`;
}

/** npm's line for one of node-llama-cpp's packages, in the version that fits. */
export function installLine(suffix = ''): string {
  return `npm install --save-exact ${SCOPE}/${llamaPlatform()}${suffix}@${NODE_LLAMA_CPP_VERSION}`;
}

/** Whether an addon has a loader beside it, and so no llama.cpp compiled in. */
export function needsLibraries(addon: string): boolean {
  return existsSync(loaderOf(addon));
}

function loaderOf(addon: string): string {
  return join(dirname(addon), 'loader.node');
}

/** Names of the packages for a GPU that are installed, whether or not they can be used. */
export function installedGpuPackages(addon: string): string[] {
  const names = GPU_KINDS.map((kind) => `${SCOPE}/${llamaPlatform()}-${kind}`);
  return names.filter((name) => packageFolder(name, [addon]) !== undefined);
}

/**
 * Those of an addon that has a loader beside it; undefined for one that has llama.cpp compiled in.
 *
 * @throws EngineError ERR_ADDON_INVALID when node-llama-cpp's package is missing, of another version, or incomplete
 */
export function sharedLibraries(addon: string): SharedLibraries | undefined {
  if (!needsLibraries(addon)) return undefined;
  const platform = llamaPlatform();
  const name = `${SCOPE}/${platform}`;
  // From the addon's own package: pnpm links it there alone. From here: an addon that was built or moved.
  const folder = packageFolder(name, [addon]);
  if (folder === undefined) {
    throw invalid(`Expected ${name} beside ${addon}, which needs its libraries, but it is not installed.`);
  }
  const problem = versionProblem(folder);
  if (problem !== undefined) throw invalid(`Expected ${name} ${NODE_LLAMA_CPP_VERSION}, received ${problem}.`);
  const binaries = join(folder, 'bins', platform);
  const files = existsSync(binaries) ? readdirSync(binaries) : [];
  const paths = LIBRARIES.flatMap((form) =>
    files.filter((file) => form.test(file)).map((file) => join(binaries, file)),
  );
  if (paths.length !== LIBRARIES.length) {
    throw invalid(`Expected libggml-base, libggml and libllama in ${binaries}, found ${paths.length} of them.`);
  }
  const own = ownProcessorFolder(addon);
  return {
    loader: loaderOf(addon),
    paths,
    processorFolders: [...(existsSync(own) ? [own] : []), binaries],
    gpuPackages: gpuPackages(platform, binaries, addon),
  };
}

function gpuPackages(platform: string, binaries: string, addon: string): GpuPackage[] {
  if (platform.startsWith('mac')) {
    const metal = join(binaries, 'libggml-metal.so');
    return existsSync(metal) ? [{ name: `${SCOPE}/${platform}`, files: [metal], problem: undefined }] : [];
  }
  return GPU_KINDS.flatMap((kind): GpuPackage[] => {
    const name = `${SCOPE}/${platform}-${kind}`;
    const folder = packageFolder(name, [addon]);
    if (folder === undefined) return [];
    const version = versionProblem(folder);
    if (version !== undefined) {
      const problem = `expected ${NODE_LLAMA_CPP_VERSION}, received ${version}: ${installLine(`-${kind}`)}`;
      return [{ name, files: [], problem }];
    }
    const file = process.platform === 'win32' ? `ggml-${kind}.dll` : `libggml-${kind}.so`;
    const inside = join('bins', `${platform}-${kind}`);
    // For older drivers there is a second one, in a package beside it.
    const more = packageFolder(`${name}-ext`, [addon]);
    const files = [join(folder, inside, file), ...(more === undefined ? [] : [join(more, inside, 'fallback', file)])];
    return [{ name, files: files.filter((path) => existsSync(path)), problem: undefined }];
  });
}

function versionProblem(folder: string): string | undefined {
  const version = packageVersion(folder);
  return version === NODE_LLAMA_CPP_VERSION ? undefined : `${version} in ${folder}`;
}

function invalid(what: string): EngineError {
  return new EngineError('ERR_ADDON_INVALID', `${what} Install it: ${installLine()}`);
}
