/** A guard's GGUF, opened in llama.cpp: beside the language model, and wherever it is loaded alone. */
import type { GuardOpener, OpenGuard } from '../decision/index.js';
import { devices, EncodedImages, Model } from '../engine/index.js';
import { thisMachine, trunkLayersThatFit } from './memory-fit.js';
import type { OpenTrunkOptions } from './open-trunk.js';

export interface OpenGuardOptions extends OpenTrunkOptions {
  readonly onProgress?: (fraction: number) => void;
}

/** Disposing of it frees context and model. @throws what {@link Model.load} and {@link Model.createContext} throw */
export async function openGuard(
  { guard, guardProjector, ...context }: Parameters<GuardOpener>[0],
  options: OpenGuardOptions,
): Promise<OpenGuard> {
  const gpuLayerCount =
    options.gpuLayerCount ?? (await trunkLayersThatFit(guard, context, thisMachine(devices(), options.device)));
  const paths = { modelPath: guard, projectorPath: guardProjector ?? undefined };
  const model = await Model.load({ ...paths, ...options, gpuLayerCount });
  try {
    const images = new EncodedImages(model);
    return {
      model,
      images,
      // As for a reward model's trunk: a decision must not depend on what is decided beside it.
      context: await model.createContext({ ...context, flashAttention: 'off' }),
      dispose: async () => {
        images.dispose();
        await model.dispose();
      },
    };
  } catch (error) {
    await model.dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}
