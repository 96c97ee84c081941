/** What the machine offers to compute on. */
import { UsageError } from '../errors.js';
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

/**
 * Those that layers can be put on when this device is asked for: none for the CPU; for 'auto' as llama.cpp takes them,
 * all GPUs, or where there is none, those that share the processor's memory.
 *
 * @param name 'auto', or a device's name; upper and lower case are one
 * @throws UsageError ERR_DEVICE_NOT_FOUND, with the devices that there are
 */
export function layerDevices(
  name: string,
  found: readonly NativeBackendDevice[] = devices(),
): readonly NativeBackendDevice[] {
  const gpus = found.filter(({ type }) => type === 'gpu');
  const all = found.filter(({ type }) => type === 'gpu' || type === 'integrated-gpu');
  const wanted = name.toLowerCase();
  if (wanted === 'auto') return gpus.length > 0 ? gpus : all;
  if (wanted === 'cpu') return [];
  const device = all.find((one) => one.name.toLowerCase() === wanted);
  if (device !== undefined) return [device];
  const known = ['auto', 'CPU', ...all.map((one) => `${one.name} (${one.description})`)];
  throw new UsageError(
    'ERR_DEVICE_NOT_FOUND',
    `Expected a device of this machine, received ${JSON.stringify(name)}. There are ${known.join(', ')}. ` +
      "'eta-vlm doctor' shows them, and what a GPU needs to be found.",
  );
}
