/** What both evaluators are loaded with. */
import { z } from 'zod';
import { isAbortSignal } from '../abort.js';
import type { Context, Model } from '../engine/index.js';
import { EvaluatorWorker } from './worker.js';

export const evaluatorLoadSchema = z.strictObject({
  worker: z.custom<EvaluatorWorker>((value) => value instanceof EvaluatorWorker, 'expected an EvaluatorWorker'),
  /** The folder with manifest.json. */
  folder: z.string('expected a path').min(1, 'expected a path'),
  /** Whether the SHA-256 of every file is checked, and not its size alone. @default true */
  verifyHashes: z.boolean('expected true or false').default(true),
  /** Heard between the blocks of a file, the graphs, and the runs of the self-test. */
  signal: z.custom<AbortSignal>(isAbortSignal, 'expected an AbortSignal').optional(),
});

/** A language model that llama.cpp holds, and a context of it with output 'hidden-state' for one user alone. */
export interface OpenTrunk {
  readonly model: Model;
  readonly context: Context;
  dispose(): Promise<void>;
}

/** What a trunk's context has to have. */
export interface TrunkContext {
  readonly contextSize: number;
  readonly sequenceCount: number;
  readonly cacheType: 'f32' | 'f16';
}

/** How a GGUF becomes one: the engine is not this room's to start. */
export type TrunkOpener = (trunk: TrunkContext & { readonly path: string }) => Promise<OpenTrunk>;

export const rewardLoadSchema = evaluatorLoadSchema.extend({
  /** Opens the trunk of a model whose manifest names a GGUF; such a model is refused without. */
  openTrunk: z.custom<TrunkOpener>((value) => typeof value === 'function', 'expected a function').optional(),
});

export type RewardLoadOptions = z.input<typeof rewardLoadSchema>;
export type EvaluatorLoadOptions = z.input<typeof evaluatorLoadSchema>;
