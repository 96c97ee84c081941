/** What a reward model is loaded with: what both evaluators are, and how its trunk is opened. */
import { z } from 'zod';
import type { Context, Model } from '../engine/index.js';
import { evaluatorLoadSchema } from '../onnx/index.js';

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
