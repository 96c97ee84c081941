/** Whether llama.cpp takes a GGUF: it is loaded in a process of its own, because that may be the end of the process. */
import { probeModel } from '../../engine/probe.js';
import { EtaError, type EtaErrorCode } from '../../errors.js';

/** Files that are loaded together. */
export interface GgufPair {
  readonly modelPath: string;
  readonly projectorPath: string | null;
}

/** What says nothing of the files: this machine cannot load them. */
const OF_THE_MACHINE: readonly EtaErrorCode[] = [
  'ERR_MEMORY',
  'ERR_ADDON_NOT_FOUND',
  'ERR_ADDON_INVALID',
  'ERR_THREADS',
];

/**
 * On the processor, whose memory need not hold all weights at once.
 *
 * @returns why it could not be tried on this machine, or null where it loads
 * @throws ModelError ERR_MODEL_INVALID, ERR_MODEL_MISMATCH; AbortError
 */
export async function tryGguf({ modelPath, projectorPath }: GgufPair, signal: AbortSignal): Promise<string | null> {
  const files = { modelPath, projectorPath: projectorPath ?? undefined };
  try {
    await probeModel({ ...files, device: 'CPU', gpuLayerCount: 0, useMmap: true, useMlock: false }, signal);
    return null;
  } catch (error) {
    if (error instanceof EtaError && OF_THE_MACHINE.includes(error.code)) return error.message;
    throw error;
  }
}
