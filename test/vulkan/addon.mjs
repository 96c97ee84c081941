/** The addon for the tests on Vulkan: the prebuilt route, in build/vulkan, so that the build of this checkout stays. */
import { join } from 'node:path';
import { addonIn, buildAddon } from '../../native/build/addon.mjs';
import { PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { prebuiltLibraries } from '../../native/build/prebuilt.mjs';
import { checkPrerequisites } from '../../native/build/prerequisites.mjs';
import { run } from '../../native/build/progress.mjs';

const folder = join(PACKAGE_ROOT, 'build', 'vulkan');
const log = join(PACKAGE_ROOT, 'build', 'vulkan.log');

/** @returns path of the addon; src/native finds the libraries and the backend for Vulkan that are installed */
export async function vulkanAddon() {
  const compiler = checkPrerequisites({ backend: 'cpu', isPrebuilt: true });
  await buildAddon(await prebuiltLibraries(compiler, log), log, addonIn(folder));
  return join(folder, 'eta-vlm.node');
}

/** The device with failures on demand: planted/device.c as a library. */
export async function plantedDevice() {
  const library = join(folder, 'planted-device.so');
  const source = join(PACKAGE_ROOT, 'test', 'vulkan', 'planted', 'device.c');
  await run('cc', ['-O1', '-Wall', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread'], { log });
  return library;
}
