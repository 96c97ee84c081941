/** A reward model's GGUF, opened in llama.cpp as its heads need it: for an answer, and wherever the model is loaded alone. */
import { devices, Model } from '../engine/index.js';
import type { OpenTrunk, TrunkOpener } from '../reward/index.js';
import { thisMachine, trunkLayersThatFit } from './memory-fit.js';

export interface OpenTrunkOptions {
  /** @default 'auto' */
  readonly device?: string | undefined;
  /** Layers on the GPU; 0 = none, -1 = all. @default as many as fit when nothing else is there */
  readonly gpuLayerCount?: number;
  /** @default physical cores */
  readonly threadCount?: number | undefined;
  /** Whether it is loaded in a process of its own first. @default false */
  readonly probe?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Disposing of it frees context and model. @throws what {@link Model.load} and {@link Model.createContext} throw */
export async function openTrunk(
  { path, ...context }: Parameters<TrunkOpener>[0],
  options: OpenTrunkOptions = {},
): Promise<OpenTrunk> {
  const { device, threadCount, probe, signal } = options;
  const gpuLayerCount =
    options.gpuLayerCount ?? (await trunkLayersThatFit(path, context, thisMachine(devices(), device)));
  const model = await Model.load({ modelPath: path, device, gpuLayerCount, threadCount, probe, signal });
  try {
    return {
      model,
      // Flash attention rounds more than a threshold of 0.06 can bear.
      context: await model.createContext({ ...context, flashAttention: 'off', output: 'hidden-state' }),
      dispose: () => model.dispose(),
    };
  } catch (error) {
    await model.dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}
