/** What a reward model is loaded with: what both evaluators are, and how its trunk is opened. */
import { z } from 'zod';
import type { Context, Model } from '../engine/index.js';
import { type EvaluatorLoadOptions, evaluatorLoadSchema } from '../onnx/index.js';

/** A language model that llama.cpp holds, and a context of it with output 'hidden-state' for one user alone. */
export interface OpenTrunk {
  readonly model: Model;
  readonly context: Context<'hidden-state'>;
  /** Frees both. Idempotent. */
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

/** What a reward model is loaded with. */
export interface RewardLoadOptions extends EvaluatorLoadOptions {
  /** Opens the trunk of a model whose manifest names a GGUF. @default none: such a model is refused */
  openTrunk?: TrunkOpener | undefined;
}

export const rewardLoadSchema = evaluatorLoadSchema.extend({
  openTrunk: z.custom<TrunkOpener>((value) => typeof value === 'function', 'expected a function').optional(),
});
