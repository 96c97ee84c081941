/**
 * How much memory a set of models takes once it answers: pure arithmetic on their shapes. Every constant is what llama.cpp
 * reserves (its own log lines) or what was measured on Linux x64; `bench/memory.ts` prints estimate against use.
 */
import type { EvaluatorShape } from './evaluator-shape.js';
import {
  CELL_MULTIPLE,
  cache,
  compute,
  type MemoryPart,
  type MemoryPlan,
  offloaded,
  projectorPart,
  repackedBytes,
  weights,
} from './memory-parts.js';
import type { LanguageShape, ProjectorShape } from './model-shape.js';

const MIB = 2 ** 20;

/** Node, this package's code, the addon and sharp, 106 MiB before any model, and what requests need in passing. Measured. */
const PROGRAM_BYTES = 118 * MIB;
/** onnxruntime once it has a graph. Measured. */
const RUNTIME_BYTES = 42 * MIB;
/** What loading the largest graph leaves behind in the allocator, as a share of it. Measured on 8 and 600 MB of CLIP. */
const RUNTIME_SHARE = 0.4;
/** What a GPU's runtime takes for itself, and what must stay free on it. Not measured: a usual size. */
export const GPU_RESERVE_BYTES = 512 * MIB;

/** ggml's numbers of types. */
const [Q4_0, Q8_0, Q2_K, Q4_K, Q5_K, Q6_K, IQ4_NL, MXFP4] = [2, 8, 10, 12, 13, 14, 20, 39] as const;

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
  if (plan.isSteered === true)
    parts.push(joined('steered context', [cache(language, plan, onGpu), compute(language, plan, onGpu)]));
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
