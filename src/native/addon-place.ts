/** Where the native addon lies: three places, in their order, and why each was taken or not. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../errors.js';
import { packageFolder, packageVersion } from './package-folder.js';

const ADDON = 'eta-vlm.node';

/** Platforms that a package with a compiled addon is made for. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'];

export interface AddonPlace {
  readonly origin: 'ETA_VLM_ADDON' | 'own build' | 'platform package';
  /** The file. */
  readonly path: string;
  /** Which addon is taken, and why the others are not: one sentence. */
  readonly sentence: string;
}

/** What decides. */
export interface AddonSurroundings {
  /** Folder of this package. */
  readonly root: string;
  /** Value of ETA_VLM_ADDON. */
  readonly named: string | undefined;
  /** Such as "linux-x64". */
  readonly platform: string;
  /** Files of the program that runs. @default those of this process */
  readonly program?: readonly string[];
}

/** The package that brings this machine's addon. */
export function platformPackage(platform = `${process.platform}-${process.arch}`): string {
  return `@eta-vlm/${platform}`;
}

/**
 * ETA_VLM_ADDON, else one's own build, else the platform package. What is named and missing is not passed over.
 *
 * @throws EngineError ERR_ADDON_NOT_FOUND where there is none, ERR_ADDON_INVALID for a platform package of another version
 */
export function findAddon(here: AddonSurroundings = surroundings()): AddonPlace {
  const own = join(here.root, 'build', 'Release', ADDON);
  const name = platformPackage(here.platform);
  if (here.named !== undefined && here.named !== '') {
    const path = resolve(here.named);
    const sentence = `${path}, named by ETA_VLM_ADDON: neither an own build nor ${name} was looked for.`;
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile()) return { origin: 'ETA_VLM_ADDON', path, sentence };
    const what = found === undefined ? 'where there is no file' : 'which is no regular file';
    throw notFound([`ETA_VLM_ADDON names ${path}, ${what}`], here.platform);
  }
  if (existsSync(own)) {
    const sentence = `${own}, the own build: ETA_VLM_ADDON is not set, and ${name} would come after it.`;
    return { origin: 'own build', path: own, sentence };
  }
  const reasons = ['ETA_VLM_ADDON is not set', `there is no own build (${own})`];
  const folder = packageFolder(name, [join(here.root, 'package.json')], here.program);
  if (folder === undefined) throw notFound([...reasons, `${name} is not installed`], here.platform);
  checkVersion(name, folder, here.root);
  const path = join(folder, ADDON);
  if (!existsSync(path)) throw notFound([...reasons, `${name} lacks its file ${path}`], here.platform);
  return { origin: 'platform package', path, sentence: `${path}, of ${name}: ${reasons.join(', and ')}.` };
}

/** This file is `<root>/src/native/addon-place.ts` or `<root>/dist/native/addon-place.js`. */
function surroundings(): AddonSurroundings {
  return {
    root: resolve(dirname(fileURLToPath(import.meta.url)), '..', '..'),
    named: process.env['ETA_VLM_ADDON'],
    platform: `${process.platform}-${process.arch}`,
  };
}

function checkVersion(name: string, folder: string, root: string): void {
  const [found, own] = [folder, root].map((place) => packageVersion(place));
  if (found === own) return;
  throw new EngineError(
    'ERR_ADDON_INVALID',
    `Expected ${name} ${own}, of the version of eta-vlm itself, received ${found} in ${folder}. Install both in one version.`,
  );
}

function notFound(reasons: readonly string[], platform: string): EngineError {
  const name = platformPackage(platform);
  const isNamed = reasons.length === 1;
  const why = platformProblem(platform);
  const solutions = [
    isNamed && 'Name the right file in ETA_VLM_ADDON, or unset it',
    !isNamed &&
      why === undefined &&
      `Install it compiled: the file of ${name}, beside eta-vlm's own (node_modules/eta-vlm/docs/install.md); not by that name, which npm's registry does not have`,
    `Build it, with a compiler${why === undefined ? '' : `, because ${why}`}: npx eta-vlm build; in the repository npm run build`,
    !isNamed && 'Built elsewhere, name it: ETA_VLM_ADDON=/path/of/eta-vlm.node',
    'Bundled, leave eta-vlm out of the bundle (external) and unpack whole packages from the archive (asarUnpack)',
  ].filter((solution) => solution !== false);
  return new EngineError(
    'ERR_ADDON_NOT_FOUND',
    `Expected the native addon, found none: ${reasons.join(', ')}. Possible solutions:\n${solutions.map((line) => `- ${line}`).join('\n')}`,
  );
}

/** Why no package can have an addon for this machine. */
function platformProblem(platform: string): string | undefined {
  if (!PLATFORMS.includes(platform)) return `there is no package for ${platform}`;
  return platform.startsWith('linux') && isMusl()
    ? 'the packages for Linux need glibc and this system has musl'
    : undefined;
}

/** Asked when an addon is missing only: the report takes some milliseconds. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}
