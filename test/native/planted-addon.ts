/**
 * The addon with failures on demand: built here, in build/planted, from the sources and libraries of the shipped one, and
 * named to src/native/binding.ts. A test imports this file before anything that loads the addon.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadBinding } from '../../src/native/binding.js';
import type { NativeBinding } from '../../src/native/binding-types.js';

export interface PlantedFailure {
  /** The decode that fails, counted from 1 behind the call. @default 1 */
  readonly decode?: number;
  /** Decodes that fail from there on. @default 1 */
  readonly count?: number;
  /** What llama_decode returns. */
  readonly code?: number;
  /** Or it throws std::bad_alloc. */
  readonly throws?: boolean;
  /** What is computed all the same: `some` ends in the middle of a graph. @default 'none' */
  readonly rows?: 'none' | 'some' | 'all';
  /** Nodes computed under `some`; a graph of the tiny models has about 70. */
  readonly nodes?: number;
  /** In place of all that: this share of all decodes fails, each in a way drawn by the seed. */
  readonly share?: number;
  readonly seed?: number;
  /** In place of all that: none fails, and every decode takes so much longer. */
  readonly delayMs?: number;
}

export interface PlantedBinding extends NativeBinding {
  /** Without an argument nothing fails any more. Counts begin anew. */
  plantFailure(failure?: PlantedFailure): void;
  planted(): {
    readonly decodeCount: number;
    readonly failureCount: number;
    /** What llama.cpp itself returned last. */
    readonly lastCode: number;
    /** Whether a held decode has been reached. */
    readonly isWaiting: boolean;
  };
  /** Decodes wait, before anything is computed, until they are let go. */
  holdDecodes(isHeld: boolean): void;
  /**
   * The k-th allocation of the addon off this thread fails, those inside llama_decode only `withDecodes`; 0 = none.
   * @returns whether the one planted before has failed
   */
  plantAllocation(k: number, withDecodes?: boolean): boolean;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What the shipped addon was configured with: the same libraries, whatever the build chose. */
const cache = readFileSync(join(root, 'build', 'addon', 'CMakeCache.txt'), 'utf8');

/** Whether llama.cpp is compiled into it. Otherwise nothing can be planted inside llama_decode. */
export const hasLlamaInside = !/^ETA_ROUTE:\w+=prebuilt$/m.test(cache);

function definitions(): string[] {
  return [
    ...cache.matchAll(/^((?:ETA_LLAMA_PREFIX|ETA_LLAMA_TAG|ETA_ROUTE|ETA_BINARIES|CMAKE_JS_\w+)):\w+=(.*)$/gm),
  ].map(([, name, value]) => `-D${name}=${value}`);
}

function cmake(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cmake ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
}

// A folder for each set of libraries: CMake keeps those that it has found.
const hash = createHash('sha256').update(definitions().join()).digest('hex').slice(0, 12);
const folder = join(root, 'build', 'planted', hash);
mkdirSync(folder, { recursive: true });
cmake('-S', join(root, 'test', 'native', 'planted'), '-B', folder, '-DCMAKE_BUILD_TYPE=Release', ...definitions());
cmake('--build', folder, '--config', 'Release', '--parallel');

/** Its file. */
export const plantedPath = join(folder, 'addon', 'eta-vlm.node');

process.env['ETA_VLM_ADDON'] = plantedPath;
export const planted = loadBinding() as PlantedBinding;
if (planted.plantFailure === undefined) throw new Error('Expected planted-addon.ts as the first import of the test.');
