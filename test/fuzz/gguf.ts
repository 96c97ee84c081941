/**
 * Damaged GGUF files, as language models and as projectors: each is refused with an error of ours, or loads and works. Seeds
 * go round the models: the seed's rest by their number says which is damaged.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryForked } from './forked.js';
import { type Fuzz, type FuzzResult, seedsOf } from './fuzz.js';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const TINY = path('test/golden/engine/tiny.gguf');
const MINIATURE = path('models/miniature/language-model.gguf');

/** The sound file that is damaged; of a projector the language model beside it, undamaged. */
export const FILES = {
  tiny: { file: TINY, languageModel: null },
  miniature: { file: MINIATURE, languageModel: null },
  'tiny-projector': { file: path('test/golden/engine/tiny-projector.gguf'), languageModel: TINY },
  'miniature-projector': { file: path('models/miniature/projector.gguf'), languageModel: MINIATURE },
} as const;
export type GgufName = keyof typeof FILES;
export const GGUF_NAMES = Object.keys(FILES) as readonly GgufName[];

export async function fuzzGguf(seeds: readonly number[], onProgress?: (done: number) => void): Promise<FuzzResult> {
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-fuzz-'));
  try {
    const child = new URL('./gguf-child.ts', import.meta.url);
    return await tryForked({ child, task: join(folder, 'damaged.gguf'), seeds, onProgress });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const gguf: Fuzz = {
  name: 'gguf',
  count: 20_000,
  run: (options) => fuzzGguf(seedsOf(options), options.onProgress),
};
