/** Whether the models fit into this machine, asked before anything is loaded, and how many layers its GPU takes. */
import { totalmem } from 'node:os';
import { expectAddressSpace } from '../address-space.js';
import { guardContext } from '../decision/index.js';
import {
  DEFAULT_BATCH_SIZE,
  devices,
  layerDevices,
  type NativeBackendDevice,
  processorFeatures,
} from '../engine/index.js';
import { EtaError, ModelError } from '../errors.js';
import {
  addedRam,
  chooseGpuLayers,
  estimateMemory,
  GPU_RESERVE_BYTES,
  languageShape,
  largestContext,
  type MemoryEstimate,
  type MemoryPlan,
  type ModelShapes,
  modelShapes,
  type ResolvedModels,
  readGguf,
  repackedTypes,
  roundedCells,
} from '../models/index.js';
import { type TrunkContext, trunkContext } from '../reward/index.js';
import type { ResolvedDecision } from './decision.js';
import { CONTEXT_SIZE, SEQUENCE_COUNT } from './defaults.js';

/** Rows that are computed at once, and so in memory: a larger batch is cut into as many. */
const MICRO_BATCH_SIZE = 512;

/** Addresses that an answer takes beside the models: the evaluators' thread, onnxruntime, sharp, V8's own growth. Measured. */
const RUNTIME_ADDRESS_BYTES = 1.75 * 2 ** 30;

/** What of {@link LoadEtaOptions} memory depends on. */
export interface FitOptions {
  readonly contextSize?: number | undefined;
  readonly sequenceCount?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly cacheType?: MemoryPlan['cacheType'] | undefined;
  readonly flashAttention?: MemoryPlan['flashAttention'] | undefined;
  readonly device?: string | undefined;
  readonly gpuLayerCount?: number | 'auto' | undefined;
  /** Whether models that do not fit are refused. */
  readonly checkMemory?: boolean | undefined;
  /** Where one is named, a second context stands beside the first. */
  readonly safetyVector?: object | undefined;
  /** Of the guard's context, where the shapes have a guard. */
  readonly guardMaxTokens?: number | undefined;
}

/** Memory of a machine. */
export interface Machine {
  readonly ramFreeBytes: number;
  /** Of the GPUs that layers go to, together; 0 without one. */
  readonly gpuFreeBytes: number;
  /** Whether the GPU works in the main memory, so that both draw on one. */
  readonly isShared: boolean;
  /** Types of weights that this processor keeps a second time, in another order. */
  readonly repackedTypes: readonly number[];
}

export interface MemoryFit {
  readonly machine: Machine;
  readonly shapes: ModelShapes;
  readonly plan: MemoryPlan;
  readonly estimate: MemoryEstimate;
  /** Main memory that loading takes, that of the GPU included where the two are one; bytes. */
  readonly addedBytes: number;
  /** Whether what loading adds is free now. */
  readonly fits: boolean;
  /** The most KV cells that would fit, at most the plan's; 0: not even 256. */
  readonly largestContextSize: number;
}

/**
 * The machine as llama.cpp's backends and the system tell it.
 *
 * @param device whose memory counts as the GPU's
 * @throws EngineError ERR_ADDON_NOT_FOUND; UsageError ERR_DEVICE_NOT_FOUND
 */
export function thisMachine(found: readonly NativeBackendDevice[] = devices(), device = 'auto'): Machine {
  const gpus = layerDevices(device, found);
  return {
    // macOS counts only what nobody ever used as free.
    ramFreeBytes: process.platform === 'darwin' ? totalmem() : process.availableMemory(),
    gpuFreeBytes: gpus.reduce((sum, { memoryFreeBytes }) => sum + memoryFreeBytes, 0),
    repackedTypes: repackedTypes(processorFeatures()),
    isShared:
      gpus.length > 0 && gpus.every(({ type, name }) => type === 'integrated-gpu' || /^(metal|mtl)/i.test(name)),
  };
}

/** Pure: the plan that these options make on this machine, and what it takes. */
export function fitMemory(shapes: ModelShapes, options: FitOptions, machine: Machine): MemoryFit {
  const hasGpu = machine.gpuFreeBytes > 0;
  const wanted = options.gpuLayerCount ?? 'auto';
  const usualBatchSize = DEFAULT_BATCH_SIZE[hasGpu && wanted !== 0 ? 'gpu' : 'cpu'];
  const asked: MemoryPlan = {
    contextSize: roundedCells(options.contextSize ?? CONTEXT_SIZE),
    sequenceCount: options.sequenceCount ?? SEQUENCE_COUNT,
    batchSize: Math.min(options.batchSize ?? usualBatchSize, MICRO_BATCH_SIZE),
    cacheType: options.cacheType ?? 'f16',
    flashAttention: options.flashAttention ?? 'auto',
    gpuLayerCount: 0,
    repackedTypes: machine.repackedTypes,
    trunk: trunkPlan(shapes, usualBatchSize),
    isSteered: options.safetyVector !== undefined,
    guard: guardPlan(shapes, options.guardMaxTokens, usualBatchSize),
  };
  const auto = () => chooseGpuLayers(shapes, asked, machine.gpuFreeBytes);
  const plan = { ...asked, gpuLayerCount: hasGpu ? (wanted === 'auto' ? auto() : wanted) : 0 };
  const estimate = estimateMemory(shapes, plan);
  const added = addedRam(estimate) + (machine.isShared ? estimate.gpuBytes : 0);
  const gpuFits = estimate.gpuBytes === 0 || estimate.gpuBytes + GPU_RESERVE_BYTES <= machine.gpuFreeBytes;
  return {
    machine,
    shapes,
    plan,
    estimate,
    addedBytes: added,
    fits: added <= machine.ramFreeBytes && gpuFits,
    largestContextSize: largestContext(shapes, plan, machine.ramFreeBytes - (machine.isShared ? estimate.gpuBytes : 0)),
  };
}

/** The context that a reward model's trunk is opened with, beside the language model's. */
function trunkPlan({ evaluators: { trunk } }: ModelShapes, batchSize: number): MemoryPlan['trunk'] {
  return trunk === null ? null : { ...trunkContext(trunk), batchSize };
}

/** The context that a guard is opened with. */
function guardPlan({ guard }: ModelShapes, maxTokens: number | undefined, batchSize: number): MemoryPlan['trunk'] {
  return guard && maxTokens !== undefined ? { ...guardContext({ maxTokens }), batchSize } : null;
}

/**
 * Layers for the GPU: as asked, or for 'auto' as many as fit.
 *
 * @throws ModelError ERR_MEMORY when more memory is needed than is free, of the machine or of its GPU
 */
export async function gpuLayersThatFit(
  models: ResolvedModels,
  options: FitOptions,
  decision: ResolvedDecision | null = null,
): Promise<number> {
  const wanted = options.gpuLayerCount === 'auto' ? undefined : options.gpuLayerCount;
  let shapes: ModelShapes;
  try {
    shapes = await modelShapes(models, decision?.files);
  } catch (error) {
    // A file that cannot be read, or a form that only llama.cpp knows: its loader tells more.
    if (error instanceof EtaError) return wanted ?? -1;
    throw error;
  }
  const guardMaxTokens = decision?.form.maxTokens;
  const fit = fitMemory(shapes, { ...options, guardMaxTokens }, thisMachine(devices(), options.device));
  if (options.checkMemory !== false) {
    if (!fit.fits) throw tooLarge(fit);
    expectAddressSpace(RUNTIME_ADDRESS_BYTES + fit.addedBytes, 'the models');
  }
  return wanted ?? (fit.machine.gpuFreeBytes > 0 ? fit.plan.gpuLayerCount : -1);
}

/** Layers of a reward model's trunk, or of a guard, for the GPU where nothing else is loaded: as many as fit; -1 = all. */
export async function trunkLayersThatFit(
  path: string,
  context: TrunkContext,
  machine: Machine = thisMachine(),
): Promise<number> {
  if (machine.gpuFreeBytes === 0) return -1;
  const language = languageShape(await readGguf(path));
  const evaluators = { clipBytes: null, rewardBytes: null, trunk: null, largestGraphBytes: 0, rewardCacheBytes: 0 };
  // A trunk computes the logits of every row: the plan counts those of a sequence's last row alone, so each row is one here.
  const asked = { ...context, sequenceCount: DEFAULT_BATCH_SIZE.gpu, flashAttention: 'off' } as const;
  return fitMemory({ language, projector: null, evaluators }, asked, machine).plan.gpuLayerCount;
}

/** What does not fit, part by part. */
export function tooLarge({ estimate, addedBytes, machine, plan, largestContextSize }: MemoryFit): ModelError {
  const gpu =
    estimate.gpuBytes > 0 && !machine.isShared
      ? ` and ${gigabytes(estimate.gpuBytes)} of ${gigabytes(machine.gpuFreeBytes)} on the GPU`
      : '';
  const parts = estimate.parts
    .filter(({ name, ramBytes }) => name !== 'program' && ramBytes > 2 ** 24)
    .map(({ name, ramBytes }) => `${name} ${gigabytes(ramBytes)}`);
  const smaller =
    largestContextSize >= 256 ? `a contextSize of at most ${largestContextSize}` : 'a smaller model or quantisation';
  const tooManyLayers = 'Leave out gpuLayerCount, and as many layers as the GPU has room for are placed there.';
  const halved = plan.cacheType === 'q8_0' ? '' : " A cache of cacheType 'q8_0' takes half.";
  return new ModelError(
    'ERR_MEMORY',
    `Expected ${gigabytes(addedBytes)} of free memory${gpu}, found ${gigabytes(machine.ramFreeBytes)} free: ` +
      `${parts.join(', ')} (${plan.contextSize} cells of ${plan.cacheType}). ` +
      `${addedBytes <= machine.ramFreeBytes ? tooManyLayers : `Take ${smaller}, or close other programs.${halved}`} ` +
      "'eta-vlm doctor --model' shows the parts. " +
      'With checkMemory: false they are loaded all the same.',
  );
}

/** Bytes in GiB, two digits. */
function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
