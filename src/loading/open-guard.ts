/** A guard's GGUF, opened in llama.cpp beside the language model. */
import type { GuardOpener, OpenGuard } from '../decision/index.js';
import { Model } from '../engine/index.js';

export interface OpenGuardOptions {
  readonly device: string | undefined;
  /** Layers on the GPU; 0 = none, -1 = all. */
  readonly gpuLayerCount: number;
  readonly threadCount: number | undefined;
  /** Whether it is loaded in a process of its own first. @default false */
  readonly probe?: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (fraction: number) => void;
}

/** Disposing of it frees context and model. @throws what {@link Model.load} and {@link Model.createContext} throw */
export async function openGuard(
  { guard, guardProjector, ...context }: Parameters<GuardOpener>[0],
  options: OpenGuardOptions,
): Promise<OpenGuard> {
  const model = await Model.load({ modelPath: guard, projectorPath: guardProjector ?? undefined, ...options });
  try {
    return {
      model,
      // As for a reward model's trunk: a decision must not depend on what is decided beside it.
      context: await model.createContext({ ...context, flashAttention: 'off' }),
      dispose: () => model.dispose(),
    };
  } catch (error) {
    await model.dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}
