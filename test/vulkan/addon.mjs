/** The addon for the tests on Vulkan: the prebuilt route, in build/vulkan, so that the build of this checkout stays. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LLAMA_TAG, PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { prebuiltLibraries } from '../../native/build/prebuilt.mjs';
import { checkPrerequisites } from '../../native/build/prerequisites.mjs';
import { run, stage, startLog } from '../../native/build/progress.mjs';

const folder = join(PACKAGE_ROOT, 'build', 'vulkan');

/** @returns path of the addon; its libraries lie beside it */
export async function vulkanAddon() {
  const options = { backend: 'cpu', isPrebuilt: true, cmakeFlags: [] };
  const log = join(PACKAGE_ROOT, 'build', 'vulkan.log');
  const libraries = await prebuiltLibraries(options, checkPrerequisites(options), log);
  const release = join(folder, 'Release');
  mkdirSync(release, { recursive: true });
  startLog(log);
  await stage('Built the addon of the prebuilt route', async () => {
    const definitions = {
      CMAKE_BUILD_TYPE: 'Release',
      CMAKE_LIBRARY_OUTPUT_DIRECTORY: release,
      ETA_LLAMA_PREFIX: libraries.folder,
      ETA_LLAMA_TAG: LLAMA_TAG,
      ETA_ROUTE: libraries.route,
      ETA_BINARIES: libraries.binaries,
      CMAKE_JS_INC: headers(),
    };
    const defines = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
    await run('cmake', ['-S', PACKAGE_ROOT, '-B', folder, ...defines], { log });
    await run('cmake', ['--build', folder, '--parallel'], { log });
    // One that a running program has mapped must not be written over.
    const missing = libraries.runtimeFiles.filter((file) => !existsSync(join(release, basename(file))));
    for (const file of missing) copyFileSync(file, join(release, basename(file)));
  });
  return join(release, 'eta-vlm.node');
}

/** Where Node-API's headers are, as cmake-js found them for this checkout's own build. */
function headers() {
  const cache = readFileSync(join(PACKAGE_ROOT, 'build', 'addon', 'CMakeCache.txt'), 'utf8');
  return /^CMAKE_JS_INC:\w+=(.*)$/m.exec(cache)?.[1] ?? '';
}

/** The device with failures on demand: planted/device.c as a library. */
export async function plantedDevice() {
  const library = join(folder, 'planted-device.so');
  const source = join(PACKAGE_ROOT, 'test', 'vulkan', 'planted', 'device.c');
  const log = join(PACKAGE_ROOT, 'build', 'vulkan.log');
  await run('cc', ['-O1', '-Wall', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread'], { log });
  return library;
}
