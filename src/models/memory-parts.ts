/**
 * What each part of a set of models takes: weights, KV cache, buffers of a step, projector. Every constant is what llama.cpp
 * reserves (its own log lines) or what was measured on Linux x64.
 */
import type { LanguageShape, ProjectorShape } from './model-shape.js';

/** A token's text, in llama.cpp's tables and in ours. Measured: 9 MiB for 32,000. */
const TOKEN_BYTES = 300;
export const CELL_MULTIPLE = 256;

const CACHE_BYTES = { f32: 4, f16: 2, q8_0: 34 / 32 } as const;

/** KV cells that llama.cpp makes of those that are asked for. */
export function roundedCells(contextSize: number): number {
  return Math.ceil(contextSize / CELL_MULTIPLE) * CELL_MULTIPLE;
}

export interface MemoryPlan {
  readonly contextSize: number;
  readonly sequenceCount: number;
  /** Rows computed at once. */
  readonly batchSize: number;
  readonly cacheType: 'f32' | 'f16' | 'q8_0';
  readonly flashAttention: 'auto' | 'on' | 'off';
  /** 0 = none, -1 = all: the layers and the output. */
  readonly gpuLayerCount: number;
  /** ggml's numbers of the types that the processor's kernels want in another order: repackedTypes. */
  readonly repackedTypes: readonly number[];
  /** The context of the reward model's trunk, which has as many layers on the GPU; null without one. */
  readonly trunk: Pick<MemoryPlan, 'contextSize' | 'sequenceCount' | 'batchSize' | 'cacheType'> | null;
  /** Whether a second context like the first stands beside it, under a safety vector. @default false */
  readonly isSteered?: boolean;
  /** The context of the guard, which has as many layers on the GPU. @default none */
  readonly guard?: MemoryPlan['trunk'];
}

export interface MemoryPart {
  readonly name:
    | 'program'
    | 'weights'
    | 'repacked'
    | 'KV cache'
    | 'compute'
    | 'steered context'
    | 'projector'
    | 'CLIP'
    | 'reward model'
    | 'guard'
    | 'onnxruntime';
  readonly ramBytes: number;
  readonly gpuBytes: number;
}

export interface Offloaded {
  /** Indices of the layers on the GPU. */
  readonly layers: readonly number[];
  readonly output: boolean;
}

export function offloaded({ layerCount }: LanguageShape, gpuLayerCount: number): Offloaded {
  const count = gpuLayerCount < 0 ? layerCount + 1 : Math.min(gpuLayerCount, layerCount + 1);
  const first = Math.max(0, layerCount + 1 - count);
  const layers = Array.from({ length: Math.max(0, layerCount - first) }, (_, index) => first + index);
  return { layers, output: count > 0 };
}

/** Weights are mapped: what the GPU holds is let go of in main memory. The embeddings stay there. */
export function weights(language: LanguageShape, onGpu: Offloaded): MemoryPart {
  const { embeddingBytes, outputBytes, layerBytes, sharesEmbedding, vocabularySize } = language;
  const all = layerBytes.reduce((sum, bytes) => sum + bytes, 0);
  const layers = onGpu.layers.reduce((sum, layer) => sum + (layerBytes[layer] ?? 0), 0);
  const output = sharesEmbedding ? outputBytes - embeddingBytes : outputBytes;
  return {
    name: 'weights',
    ramBytes: embeddingBytes + (onGpu.output ? 0 : output) + all - layers + TOKEN_BYTES * vocabularySize,
    gpuBytes: layers + (onGpu.output ? outputBytes : 0),
  };
}

export function repackedBytes(language: LanguageShape, types: readonly number[], onGpu: Offloaded): number {
  const onCpu = language.layerTypes.filter((_, layer) => !onGpu.layers.includes(layer));
  const matrices = onGpu.output ? onCpu : [...onCpu, language.outputTypes];
  return matrices.reduce((sum, bytes) => sum + types.reduce((all, type) => all + (bytes[type] ?? 0), 0), 0);
}

export function cache({ cellValues, stateValues }: LanguageShape, plan: MemoryPlan, onGpu: Offloaded): MemoryPart {
  const cells = roundedCells(plan.contextSize);
  const bytes = cellValues.map(
    (count, layer) => cells * count * CACHE_BYTES[plan.cacheType] + 4 * plan.sequenceCount * (stateValues[layer] ?? 0),
  );
  const all = bytes.reduce((sum, layer) => sum + layer, 0);
  const gpuBytes = onGpu.layers.reduce((sum, layer) => sum + (bytes[layer] ?? 0), 0);
  return { name: 'KV cache', ramBytes: all - gpuBytes, gpuBytes };
}

/**
 * The largest of what is alive at once in a step: a feed-forward, the attention, or the logits. With flash attention no
 * scores are kept, only the mask, at 16 bits.
 */
export function compute(
  language: LanguageShape,
  plan: MemoryPlan,
  onGpu: Offloaded,
  outputRows = plan.sequenceCount,
): MemoryPart {
  const { width, feedForward, headCount, vocabularySize } = language;
  const cells = roundedCells(plan.contextSize);
  const rows = Math.min(plan.batchSize, cells);
  const usesCpu = onGpu.layers.length < language.layerCount;
  const logits = 4 * outputRows * vocabularySize;
  const forward = 4 * rows * (2 * feedForward + 7 * width);
  const step = (isFlash: boolean) => {
    const scores = isFlash ? 0 : 4 * rows * (cells * headCount + 5 * width);
    const masks = rows * cells * (isFlash ? 2 : 4) * (language.hasWindow ? 2 : 1);
    return Math.max(forward, scores, logits) + masks;
  };
  const isFlash = plan.flashAttention !== 'off';
  // Of layers on the processor the GPU computes the larger batches, and then llama.cpp leaves flash attention off by itself.
  const isFlashOnGpu = isFlash && !(plan.flashAttention === 'auto' && usesCpu);
  return {
    name: 'compute',
    ramBytes: logits + (usesCpu ? step(isFlash) : 4 * rows * width),
    gpuBytes: onGpu.output ? step(isFlashOnGpu) : 0,
  };
}

export function projectorPart(projector: ProjectorShape, language: LanguageShape, onGpu: Offloaded): MemoryPart {
  const working = projectorWork(projector);
  const pictures = 4 * projector.patchCount * language.width;
  const both = projector.weightBytes + working;
  return {
    name: 'projector',
    ramBytes: pictures + (onGpu.output ? working / 8 : both),
    gpuBytes: onGpu.output ? both : 0,
  };
}

function projectorWork({ patchCount, width, feedForward }: ProjectorShape): number {
  return 4 * patchCount * (feedForward + 5 * width);
}
