/**
 * Damaged and invented pictures of every format: each is read, or refused with an error of ours. A process that ends, hangs or
 * takes hundreds of megabytes for one, an error without a code, and pixels that are not what was promised are faults.
 */
import { tryForked } from './forked.js';
import { type Fuzz, seedsOf } from './fuzz.js';

export const pictures: Fuzz = {
  name: 'pictures',
  count: 5000,
  run: (options) =>
    tryForked({
      child: new URL('./pictures-child.ts', import.meta.url),
      task: null,
      seeds: seedsOf(options),
      onProgress: options.onProgress,
    }),
};
