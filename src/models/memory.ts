/**
 * How much memory a set of models takes once it answers: pure arithmetic on their shapes. Every constant is what llama.cpp
 * reserves (its own log lines) or what was measured on Linux x64; `bench/memory.ts` prints estimate against use.
 */
import type { EvaluatorShape } from './evaluator-shape.js';
import type { LanguageShape, ProjectorShape } from './model-shape.js';

const MIB = 2 ** 20;

/** Node, this package's code, the addon and sharp, 106 MiB before any model, and what requests need in passing. Measured. */
const PROGRAM_BYTES = 118 * MIB;
/** onnxruntime once it has a graph. Measured. */
const RUNTIME_BYTES = 42 * MIB;
/** What loading the largest graph leaves behind in the allocator, as a share of it. Measured on 8 and 600 MB of CLIP. */
const RUNTIME_SHARE = 0.4;
/** A token's text, in llama.cpp's tables and in ours. Measured: 9 MiB for 32,000. */
const TOKEN_BYTES = 300;
const CELL_MULTIPLE = 256;
/** What a GPU's runtime takes for itself, and what must stay free on it. Not measured: a usual size. */
export const GPU_RESERVE_BYTES = 512 * MIB;

/** ggml's numbers of types. */
const [Q4_0, Q8_0, Q2_K, Q4_K, Q5_K, Q6_K, IQ4_NL, MXFP4] = [2, 8, 10, 12, 13, 14, 20, 39] as const;

const CACHE_BYTES = { f32: 4, f16: 2, q8_0: 34 / 32 } as const;

/** KV cells that llama.cpp makes of those that are asked for. */
export function roundedCells(contextSize: number): number {
  return Math.ceil(contextSize / CELL_MULTIPLE) * CELL_MULTIPLE;
}

export interface ModelShapes {
  readonly language: LanguageShape;
  readonly projector: ProjectorShape | null;
  readonly evaluators: EvaluatorShape;
  /** Of a guard beside the language model. @default none */
  readonly guard?: GuardShape | null;
}

/** A guard, which llama.cpp runs in a context of its own. */
interface GuardShape {
  readonly language: LanguageShape;
  readonly projector: ProjectorShape | null;
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
  /** ggml's numbers of the types that the processor's kernels want in another order: {@link repackedTypes}. */
  readonly repackedTypes: readonly number[];
  /** The context of the reward model's trunk, which has as many layers on the GPU; null without one. */
  readonly trunk: Pick<MemoryPlan, 'contextSize' | 'sequenceCount' | 'batchSize' | 'cacheType'> | null;
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
    | 'projector'
    | 'CLIP'
    | 'reward model'
    | 'guard'
    | 'onnxruntime';
  readonly ramBytes: number;
  readonly gpuBytes: number;
}

export interface MemoryEstimate {
  readonly parts: readonly MemoryPart[];
  /** Of all parts; `ramBytes` with the program itself. */
  readonly ramBytes: number;
  readonly gpuBytes: number;
  /** Of `ramBytes`: mapped weights that were repacked and are not read again. The system takes them when it needs room. */
  readonly reclaimableBytes: number;
}

export function estimateMemory(shapes: ModelShapes, plan: MemoryPlan): MemoryEstimate {
  const { language, projector, evaluators, guard } = shapes;
  const onGpu = offloaded(language, plan.gpuLayerCount);
  const repacked = [language, evaluators.trunk?.language ?? [], guard?.language ?? []]
    .flat()
    .map((model) => repackedBytes(model, plan.repackedTypes, offloaded(model, plan.gpuLayerCount)))
    .reduce((sum, bytes) => sum + bytes, 0);
  const parts: MemoryPart[] = [
    { name: 'program', ramBytes: PROGRAM_BYTES, gpuBytes: 0 },
    weights(language, onGpu),
    ...(repacked > 0 ? [{ name: 'repacked' as const, ramBytes: repacked, gpuBytes: 0 }] : []),
    cache(language, plan, onGpu),
    compute(language, plan, onGpu),
  ];
  if (projector !== null) parts.push(projectorPart(projector, language, onGpu));
  const { clipBytes, rewardBytes, rewardCacheBytes, largestGraphBytes } = evaluators;
  const trunk = trunkParts(evaluators, plan);
  if (clipBytes !== null) parts.push({ name: 'CLIP', ramBytes: clipBytes, gpuBytes: 0 });
  if (rewardBytes !== null) {
    const { ramBytes, gpuBytes } = joined('reward model', trunk);
    parts.push({ name: 'reward model', ramBytes: ramBytes + rewardBytes + rewardCacheBytes, gpuBytes });
  }
  if (guard && plan.guard) parts.push(joined('guard', guardParts(guard, { ...plan, ...plan.guard })));
  if (clipBytes !== null || rewardBytes !== null) {
    parts.push({ name: 'onnxruntime', ramBytes: RUNTIME_BYTES + RUNTIME_SHARE * largestGraphBytes, gpuBytes: 0 });
  }
  const sum = (of: (part: MemoryPart) => number) => Math.ceil(parts.reduce((total, part) => total + of(part), 0));
  return {
    parts,
    ramBytes: sum((part) => part.ramBytes),
    gpuBytes: sum((part) => part.gpuBytes),
    reclaimableBytes: repacked,
  };
}

/** Weights, cache and buffers of the reward model's trunk. A step that reads a hidden state computes the logits of all rows. */
function trunkParts({ trunk }: EvaluatorShape, plan: MemoryPlan): MemoryPart[] {
  if (trunk === null || plan.trunk === null) return [];
  const { language } = trunk;
  const own: MemoryPlan = { ...plan, ...plan.trunk, flashAttention: 'off' };
  const onGpu = offloaded(language, plan.gpuLayerCount);
  const hiddenStates = 4 * own.batchSize * language.width;
  return [
    weights(language, onGpu),
    cache(language, own, onGpu),
    compute(language, own, onGpu, own.batchSize),
    { name: 'compute', ramBytes: hiddenStates, gpuBytes: 0 },
  ];
}

/** Weights, cache, buffers and projector of a guard. */
function guardParts({ language, projector }: GuardShape, plan: MemoryPlan): MemoryPart[] {
  const own: MemoryPlan = { ...plan, flashAttention: 'off' };
  const onGpu = offloaded(language, plan.gpuLayerCount);
  const parts = [weights(language, onGpu), cache(language, own, onGpu), compute(language, own, onGpu)];
  return projector === null ? parts : [...parts, projectorPart(projector, language, onGpu)];
}

function joined(name: MemoryPart['name'], parts: readonly MemoryPart[]): MemoryPart {
  return {
    name,
    ramBytes: parts.reduce((sum, { ramBytes }) => sum + ramBytes, 0),
    gpuBytes: parts.reduce((sum, { gpuBytes }) => sum + gpuBytes, 0),
  };
}

/**
 * Types whose matrices llama.cpp copies into another order for the processor's kernels (ggml-cpu/repack.cpp of v0.5.0);
 * the mapped originals stay beside the copies.
 *
 * @param systemInfo llama.cpp's line of processor features, such as "AVX2 = 1 | REPACK = 1"
 */
export function repackedTypes(systemInfo: string): readonly number[] {
  const has = (feature: string) => new RegExp(`\\b${feature} = 1\\b`).test(systemInfo);
  if (!has('REPACK')) return [];
  const types: number[] = has('AVX2') ? [Q4_0, Q4_K, IQ4_NL, MXFP4] : [];
  if (has('AVX512')) types.push(Q2_K);
  if (has('DOTPROD') || has('MATMUL_INT8')) types.push(Q4_0, Q4_K, IQ4_NL, MXFP4, Q8_0, Q5_K, Q6_K);
  return types;
}

/**
 * As many layers as fit, from the last one on, as llama.cpp offloads them; the output counts as one more.
 *
 * @param gpuFreeBytes of all GPUs together
 * @returns 0 when not one fits, -1 when all do
 */
export function chooseGpuLayers(shapes: ModelShapes, plan: MemoryPlan, gpuFreeBytes: number): number {
  const all = shapes.language.layerCount + 1;
  for (let count = all; count > 0; count--) {
    // All means all of the reward model's trunk too, whose layers may be more.
    const gpuLayerCount = count === all ? -1 : count;
    const { gpuBytes } = estimateMemory(shapes, { ...plan, gpuLayerCount });
    if (gpuBytes + GPU_RESERVE_BYTES <= gpuFreeBytes) return gpuLayerCount;
  }
  return 0;
}

/**
 * The most KV cells with which it fits, a multiple of 256 and at most the plan's; 0 when none.
 *
 * @param freeBytes of main memory, beyond what the program holds already
 */
export function largestContext(shapes: ModelShapes, plan: MemoryPlan, freeBytes: number): number {
  const fits = (contextSize: number) => addedRam(estimateMemory(shapes, { ...plan, contextSize })) <= freeBytes;
  let most = Math.floor(plan.contextSize / CELL_MULTIPLE);
  let least = 0;
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (fits(middle * CELL_MULTIPLE)) least = middle;
    else most = middle - 1;
  }
  return least * CELL_MULTIPLE;
}

/** Main memory that must be free for loading, beside the process that runs already. */
export function addedRam({ parts, ramBytes, reclaimableBytes }: MemoryEstimate): number {
  return ramBytes - reclaimableBytes - (parts.find(({ name }) => name === 'program')?.ramBytes ?? 0);
}

interface Offloaded {
  /** Indices of the layers on the GPU. */
  readonly layers: readonly number[];
  readonly output: boolean;
}

function offloaded({ layerCount }: LanguageShape, gpuLayerCount: number): Offloaded {
  const count = gpuLayerCount < 0 ? layerCount + 1 : Math.min(gpuLayerCount, layerCount + 1);
  const first = Math.max(0, layerCount + 1 - count);
  const layers = Array.from({ length: Math.max(0, layerCount - first) }, (_, index) => first + index);
  return { layers, output: count > 0 };
}

/** Weights are mapped: what the GPU holds is let go of in main memory. The embeddings stay there. */
function weights(language: LanguageShape, onGpu: Offloaded): MemoryPart {
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

function repackedBytes(language: LanguageShape, types: readonly number[], onGpu: Offloaded): number {
  const onCpu = language.layerTypes.filter((_, layer) => !onGpu.layers.includes(layer));
  const matrices = onGpu.output ? onCpu : [...onCpu, language.outputTypes];
  return matrices.reduce((sum, bytes) => sum + types.reduce((all, type) => all + (bytes[type] ?? 0), 0), 0);
}

function cache({ cellValues, stateValues }: LanguageShape, plan: MemoryPlan, onGpu: Offloaded): MemoryPart {
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
function compute(
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

function projectorPart(projector: ProjectorShape, language: LanguageShape, onGpu: Offloaded): MemoryPart {
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
