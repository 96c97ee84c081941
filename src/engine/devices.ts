/** What the machine offers to compute on. */
import { loadBinding } from '../native/binding.js';
import type { NativeBackendDevice } from '../native/binding-types.js';

/** llama.cpp's line of processor features, such as "AVX2 = 1 | REPACK = 1". @throws EngineError ERR_ADDON_NOT_FOUND */
export function processorFeatures(): string {
  return loadBinding().build.systemInfo;
}

/**
 * Gives the system back what freed models leave with the C library, which keeps it for allocations to come (glibc; others
 * do by themselves). @throws EngineError ERR_ADDON_NOT_FOUND
 */
export async function returnMemory(): Promise<void> {
  await loadBinding().returnMemory();
}

/** Devices that llama.cpp's backends see, with their memory now. @throws EngineError ERR_ADDON_NOT_FOUND */
export function devices(): readonly NativeBackendDevice[] {
  return loadBinding().devices();
}
