/** The prebuilt route: node-llama-cpp's compiled llama.cpp, and libmtmd compiled from the same source. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder, LLAMA_TAG, moveIntoPlace, PACKAGE_ROOT, packageOfLlama, unpackSource } from './llama.mjs';
import { patchesHash } from './patches.mjs';
import { BuildError, run, stage, startLog } from './progress.mjs';

/** Folder with node-llama-cpp's libraries for this machine, checked to be of our tag. */
function binariesFolder(backend) {
  if (process.platform !== 'linux') {
    throw new BuildError('Expected Linux for --prebuilt: elsewhere build from source, without --prebuilt.', 2);
  }
  const name = `linux-${process.arch}${backend === 'cpu' ? '' : `-${backend}`}`;
  const folder = join(dirname(dirname(packageOfLlama())), 'node_modules', '@node-llama-cpp', name, 'bins', name);
  if (!existsSync(folder)) {
    throw new BuildError(
      `Expected node-llama-cpp's libraries in ${folder}. Install them: npm install @node-llama-cpp/${name}`,
    );
  }
  const { buildOptions } = JSON.parse(readFileSync(join(folder, '_nlcBuildMetadata.json'), 'utf8'));
  if (buildOptions.llamaCpp.release !== LLAMA_TAG) {
    throw new BuildError(
      `Expected libraries of llama.cpp ${LLAMA_TAG} in ${folder}, found ${buildOptions.llamaCpp.release}.`,
    );
  }
  return folder;
}

/** What buildAddon needs; the shared libraries are copied beside the addon, so that the two can be packed together. */
export async function prebuiltLibraries({ backend }, compiler, log) {
  const binaries = binariesFolder(backend);
  const runtimeFiles = readdirSync(binaries)
    .filter((name) => /^lib.*\.so$/.test(name) && name !== 'libllama-common.so')
    .map((name) => join(binaries, name));
  const key = createHash('sha256')
    .update(JSON.stringify([LLAMA_TAG, patchesHash(), compiler, process.arch]))
    .digest('hex')
    .slice(0, 12);
  const root = join(cacheFolder(), 'llama.cpp');
  const folder = join(root, `${LLAMA_TAG}-mtmd-${key}`);
  if (!existsSync(folder)) {
    startLog(log);
    mkdirSync(root, { recursive: true });
    const work = join(root, `.building-${process.pid}-${key}`);
    process.once('exit', () => rmSync(work, { recursive: true, force: true }));
    await stage('Unpacked the source of llama.cpp', () => unpackSource(packageOfLlama(), join(work, 'source'), log));
    await stage('Built libmtmd', async () => {
      const build = join(work, 'build');
      const project = join(PACKAGE_ROOT, 'native', 'build', 'mtmd');
      const flags = ['-DCMAKE_BUILD_TYPE=Release', `-DLLAMA_SOURCE=${join(work, 'source')}`];
      await run('cmake', ['-S', project, '-B', build, ...flags], { log });
      await run('cmake', ['--build', build, '--parallel', `${availableParallelism()}`], { log });
      await run('cmake', ['--install', build, '--prefix', join(work, 'done')], { log });
    });
    moveIntoPlace(join(work, 'done'), folder);
    rmSync(work, { recursive: true, force: true });
  }
  return { folder, key: `${key}-${backend}`, route: 'prebuilt', runtimeFiles, binaries };
}
