/** The prebuilt route: node-llama-cpp's compiled llama.cpp, and libmtmd compiled from the same source. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { multimodalKey } from './keys.mjs';
import { cacheFolder, LLAMA_TAG, moveIntoPlace, PACKAGE_ROOT, packageOfLlama, unpackSource } from './llama.mjs';
import { BuildError, run, stage, startLog } from './progress.mjs';

const FLAGS = ['-DCMAKE_BUILD_TYPE=Release'];

/** As node-llama-cpp calls a platform. */
export function platformOfLlama(platform = process.platform, architecture = process.arch) {
  const names = { darwin: 'mac', win32: 'win' };
  const name = `${names[platform] ?? platform}-${architecture}`;
  return name === 'mac-arm64' ? 'mac-arm64-metal' : name;
}

/** Folder with node-llama-cpp's libraries for this machine, checked to be of our tag. */
function binariesFolder() {
  if (process.platform !== 'linux') {
    throw new BuildError('Expected Linux for --prebuilt: elsewhere build from source, without --prebuilt.', 2);
  }
  const name = platformOfLlama();
  let folder;
  try {
    // Found from node-llama-cpp, whose dependency it is: pnpm links it there alone.
    const main = createRequire(join(packageOfLlama(), 'package.json')).resolve(`@node-llama-cpp/${name}`);
    folder = join(dirname(dirname(main)), 'bins', name);
  } catch (cause) {
    if (cause instanceof BuildError) throw cause;
    throw new BuildError(
      `Expected node-llama-cpp's libraries for this machine, but @node-llama-cpp/${name} is not installed: npm install @node-llama-cpp/${name}`,
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

/** What buildAddon needs. The shared libraries stay where they lie: native/loader opens them there. */
export async function prebuiltLibraries(compiler, log) {
  const binaries = binariesFolder();
  const key = multimodalKey(compiler, FLAGS);
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
      const place = `-DLLAMA_SOURCE=${join(work, 'source')}`;
      await run('cmake', ['-S', project, '-B', build, ...FLAGS, place], { log });
      await run('cmake', ['--build', build, '--parallel', `${availableParallelism()}`], { log });
      await run('cmake', ['--install', build, '--prefix', join(work, 'done')], { log });
    });
    moveIntoPlace(join(work, 'done'), folder);
    rmSync(work, { recursive: true, force: true });
  }
  return { folder, key, route: 'prebuilt', binaries };
}
