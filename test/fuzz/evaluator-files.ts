/**
 * Damaged files of evaluators: graphs, tokenizers, manifests, and what stands beside a published CLIP. Each is refused with an
 * error of ours, or loads and gives finite numbers. onnxruntime computes what a graph says, so a graph may ask for more memory
 * than there is: the process that tries has a bound.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryForked } from './forked.js';
import { type Fuzz, seedsOf } from './fuzz.js';

/** The evaluators here take a tenth of it. */
const MEMORY_KIB = 3 * 2 ** 20;

export const evaluatorFiles: Fuzz = {
  name: 'evaluator-files',
  count: 3000,
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-fuzz-'));
    try {
      return await tryForked({
        child: new URL('./evaluator-files-child.ts', import.meta.url),
        task: folder,
        seeds: seedsOf(options),
        memoryKiB: MEMORY_KIB,
        onProgress: options.onProgress,
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
