/** What both evaluators are loaded with. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { EvaluatorWorker } from './worker.js';

export const evaluatorLoadSchema = z.strictObject({
  worker: z.custom<EvaluatorWorker>((value) => value instanceof EvaluatorWorker, 'expected an EvaluatorWorker'),
  /** The folder with manifest.json. */
  folder: z.string('expected a path').min(1, 'expected a path'),
  /** Whether the SHA-256 of every file is checked, and not its size alone. @default true */
  verifyHashes: z.boolean('expected true or false').default(true),
  /** Heard between the blocks of a file, the graphs, and the runs of the self-test. */
  signal: signalSchema.optional(),
});

export type EvaluatorLoadOptions = z.input<typeof evaluatorLoadSchema>;
