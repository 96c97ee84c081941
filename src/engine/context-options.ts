/** What a context is made with. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import type { NativeContextOptions } from '../native/context-types.js';
import { integer, integerFrom, parseOptions } from '../options.js';

/** Cells of a context when nobody says: a 7B model's take 4 GiB at 16 bits. */
const DEFAULT_CONTEXT_SIZE = 8192;

/** On a CPU a step of 512 rows of a 7B model takes half a minute; with 128 an abort need not wait so long, for 4 % of time. */
export const DEFAULT_BATCH_SIZE = {
  /** Rows of a step where a GPU computes it. */
  gpu: 512,
  /** Rows of a step where the processor does. */
  cpu: 128,
};

/** Rows of a step that the addon takes. */
export const MAX_BATCH_SIZE = 65_536;

/** KV cells that the addon takes. */
export const MAX_CONTEXT_SIZE = 2 ** 31 - 1;

/** Layers that llama.cpp has control vectors for; how many a model has is known to the addon. */
const layerSchema = integerFrom(1);

const contextSchema = z.strictObject({
  contextSize: integer(1, MAX_CONTEXT_SIZE).optional(),
  sequenceCount: integer(1, 256).default(32),
  batchSize: integer(1, MAX_BATCH_SIZE).optional(),
  microBatchSize: integer(1, MAX_BATCH_SIZE).optional(),
  threadCount: integer(1, 256).optional(),
  flashAttention: z.enum(['auto', 'on', 'off'], "expected 'auto', 'on' or 'off'").default('auto'),
  cacheType: z.enum(['f32', 'f16', 'q8_0'], "expected 'f32', 'f16' or 'q8_0'").default('f16'),
  output: z.enum(['logits', 'hidden-state'], "expected 'logits' or 'hidden-state'").default('logits'),
  layer: layerSchema.optional(),
  steering: z
    .strictObject({
      layer: layerSchema,
      vector: z.custom<Float32Array>((value) => value instanceof Float32Array, 'expected a Float32Array'),
    })
    .optional(),
});

/** A direction that is added to the state behind a layer. */
export interface Steering {
  /** Counted from 0 as llama.cpp counts them, which has no control vector for the first: 1 to `layerCount` - 1. */
  readonly layer: number;
  /** `embeddingSize` finite numbers; copied at the call. */
  readonly vector: Float32Array;
}

/** What `model.createContext` takes. */
export interface ContextOptions {
  /**
   * KV cells shared by all sequences of all requests, 1 to 2147483647; llama.cpp rounds them up to a multiple of 256.
   * @default what the model was trained with, at most 8192
   */
  contextSize?: number | undefined;
  /** Sequences alive at once, over all requests, 1 to 256. @default 32 */
  sequenceCount?: number | undefined;
  /**
   * Rows of one step at most, 1 to 65536: a longer prefill takes several steps, and an abort waits for one.
   * @default 512; 128 on a CPU
   */
  batchSize?: number | undefined;
  /** Rows computed at once, 1 to 65536; never more than `batchSize`. @default 512 */
  microBatchSize?: number | undefined;
  /**
   * Threads of every step, 1 to 256.
   * @default those of the model; where it names none, as many of the physical cores as are found to be fastest, measured
   * while it runs, or all with node-llama-cpp's own code for the processor
   */
  threadCount?: number | undefined;
  /** Whether attention runs fused; `auto` where the backend can. @default 'auto' */
  flashAttention?: 'auto' | 'on' | 'off' | undefined;
  /** Number format of the KV cells: `f32` takes twice the memory of `f16`, `q8_0` half of it. @default 'f16' */
  cacheType?: 'f32' | 'f16' | 'q8_0' | undefined;
  /**
   * What is kept of a sequence's last token: its logits, from which tokens are drawn. Another context keeps its hidden
   * state: see {@link HiddenStateContextOptions}. @default 'logits'
   */
  output?: 'logits' | undefined;
  /**
   * Added to what every token's state is behind a layer, so that the layers behind it go on from there: llama.cpp's control
   * vector. Sequences are saved for contexts with the same alone. UsageError ERR_INVALID_REQUEST for a layer or a length that
   * the model has not. @default nothing
   */
  steering?: Steering | undefined;
}

/** What `model.createContext` takes for a context that draws no tokens. */
export interface HiddenStateContextOptions extends Omit<ContextOptions, 'output'> {
  /** The hidden state of a sequence's last token is kept: see {@link Sequence.hiddenState}. */
  output: 'hidden-state';
  /**
   * Behind which layer the state is taken, 1 to `layerCount` - 1: as the layer hands it to the next one, what
   * {@link ContextOptions.steering} adds included, and no norm has seen it. UsageError ERR_INVALID_REQUEST for another, and
   * for a model that keeps a running state. @default that behind the model's last norm
   */
  layer?: number | undefined;
}

/** What the defaults depend on. */
export interface ContextDefaults {
  readonly trainedContextLength: number;
  readonly threadCount: number;
  /** Whether nobody named them, and every number computes the same bits. */
  readonly measuresThreads: boolean;
  readonly device: 'cpu' | 'gpu';
}

/** The addon's options for these, defaults filled in. */
export function nativeContextOptions(
  options: ContextOptions | HiddenStateContextOptions | undefined,
  defaults: ContextDefaults,
): NativeContextOptions {
  const parsed = parseOptions(contextSchema, options, 'context options');
  if (parsed.layer !== undefined && parsed.output !== 'hidden-state') {
    throw new UsageError('ERR_INVALID_OPTION', "context options: layer: expected output: 'hidden-state' beside it.");
  }
  const trained = defaults.trainedContextLength > 0 ? defaults.trainedContextLength : DEFAULT_CONTEXT_SIZE;
  const batchSize = parsed.batchSize ?? DEFAULT_BATCH_SIZE[defaults.device];
  return {
    cellCount: parsed.contextSize ?? Math.min(trained, DEFAULT_CONTEXT_SIZE),
    sequenceCount: parsed.sequenceCount,
    batchSize,
    microBatchSize: Math.min(parsed.microBatchSize ?? 512, batchSize),
    threadCount: parsed.threadCount ?? defaults.threadCount,
    measuresThreads: parsed.threadCount === undefined && defaults.measuresThreads,
    flashAttention: parsed.flashAttention,
    cacheType: parsed.cacheType,
    output: parsed.output,
    ...(parsed.layer === undefined ? {} : { layer: parsed.layer }),
    ...(parsed.steering === undefined ? {} : { steering: parsed.steering }),
  };
}
