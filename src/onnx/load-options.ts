/** What both evaluators are loaded with. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { type HashCheck, hashCheckSchema } from '../verified/index.js';
import { PROVIDERS, type Provider } from './provider.js';
import { EvaluatorWorker } from './worker.js';

/** What CLIP is loaded with, and a reward model beside its own. */
export interface EvaluatorLoadOptions {
  /** The thread that runs its graphs. */
  worker: EvaluatorWorker;
  /** The folder with manifest.json. */
  folder: string;
  /**
   * Where the graphs run. Nothing falls back here: what cannot run there, or computes too differently for the self-test,
   * is refused. @default 'cpu'
   */
  provider?: Provider | undefined;
  /**
   * Whether the SHA-256 of every file is checked, and not its size alone. `'changed'`: of those that are not known to be
   * as they were when they were checked; the self-test on the processor likewise. @default true
   */
  verifyHashes?: HashCheck | undefined;
  /**
   * Ends the loading with an AbortError: heard between the blocks of a file, the graphs, and the runs of the self-test.
   */
  signal?: AbortSignal | undefined;
}

export const evaluatorLoadSchema = z.strictObject({
  worker: z.custom<EvaluatorWorker>((value) => value instanceof EvaluatorWorker, 'expected an EvaluatorWorker'),
  folder: z.string('expected a path').min(1, 'expected a path'),
  provider: z.enum(PROVIDERS, `expected ${PROVIDERS.join(', ')}`).default('cpu'),
  verifyHashes: hashCheckSchema.default(true),
  signal: signalSchema.optional(),
});
