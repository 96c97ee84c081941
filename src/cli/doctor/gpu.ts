/** What would bring a GPU of this machine into use, where none is. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installedGpuPackages, installLine, needsLibraries } from '../../native/shared-libraries.js';

/** What can be seen of GPUs without any library. */
interface GpuSigns {
  readonly hasNvidiaDriver: boolean;
  /** A loader of Vulkan, and a device that it could use. */
  readonly hasVulkan: boolean;
}

interface UsedAddon {
  readonly route: string;
  readonly devices: readonly { readonly type: string }[];
  readonly gpuBackends: readonly { readonly package: string; readonly problem: string | null }[];
}

/** What can be said of an addon that is there and does not load: its libraries may be what is missing. */
export function unloadedAddon(path: string): UsedAddon {
  const gpuBackends = installedGpuPackages(path).map((name) => ({ package: name, problem: 'the addon does not load' }));
  return { route: needsLibraries(path) ? 'prebuilt' : 'source', devices: [], gpuBackends };
}

/** One sentence for each driver that is here and not used. */
export function gpuAdvice(addon: UsedAddon, signs: GpuSigns = lookForGpus()): string[] {
  if (addon.devices.some(({ type }) => type === 'gpu' || type === 'integrated-gpu')) return [];
  const isInstalled = (kind: string) => addon.gpuBackends.some(({ package: name }) => name.endsWith(`-${kind}`));
  const advice: string[] = [];
  const compiled = addon.route === 'source';
  if (signs.hasNvidiaDriver && !isInstalled('cuda')) {
    const line = compiled
      ? 'npx eta-vlm build --cuda'
      : `${installLine('-cuda')} (it needs the CUDA 13 runtime as well)`;
    advice.push(`An NVIDIA driver is here, and the addon does not use it: ${line}`);
  }
  if ((signs.hasVulkan || signs.hasNvidiaDriver) && !isInstalled('vulkan')) {
    const line = compiled ? 'npx eta-vlm build --vulkan' : `${installLine('-vulkan')} (it needs the driver alone)`;
    advice.push(`${signs.hasVulkan ? 'Vulkan is here, and the addon does not use it' : 'Or by Vulkan'}: ${line}`);
  }
  return advice;
}

/** macOS has Metal in every package; nothing has to be looked for. */
function lookForGpus(): GpuSigns {
  if (process.platform === 'win32') {
    const system = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32');
    return {
      hasNvidiaDriver: existsSync(join(system, 'nvcuda.dll')),
      hasVulkan: existsSync(join(system, 'vulkan-1.dll')),
    };
  }
  if (process.platform !== 'linux') return { hasNvidiaDriver: false, hasVulkan: false };
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const libraries = [`/usr/lib/${machine}-linux-gnu`, '/usr/lib64', '/usr/lib'];
  const nodes = existsSync('/dev/dri') ? readdirSync('/dev/dri') : [];
  return {
    hasNvidiaDriver: ['/proc/driver/nvidia/version', '/dev/nvidiactl'].some((path) => existsSync(path)),
    hasVulkan:
      nodes.some((name) => name.startsWith('renderD')) &&
      libraries.some((folder) => existsSync(join(folder, 'libvulkan.so.1'))),
  };
}
