/** The prebuilt route: node-llama-cpp's compiled llama.cpp, and libmtmd compiled from the same source. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { cachedBuild } from './cached-build.mjs';
import { multimodalKey } from './keys.mjs';
import { LLAMA_TAG, PACKAGE_ROOT, packageOfLlama } from './llama.mjs';
import { BuildError, run, stage } from './progress.mjs';

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

/** libmtmd alone, from the places of a cachedBuild. */
export async function buildMultimodal({ source, build, done }, flags, log) {
  const project = join(PACKAGE_ROOT, 'native', 'build', 'mtmd');
  await run('cmake', ['-S', project, '-B', build, ...flags, `-DLLAMA_SOURCE=${source}`], { log });
  await run('cmake', ['--build', build, '--parallel', `${availableParallelism()}`], { log });
  await run('cmake', ['--install', build, '--prefix', done], { log });
}

/** What buildAddon needs. The shared libraries stay where they lie: native/loader opens them there. */
export async function prebuiltLibraries(compiler, log) {
  const binaries = binariesFolder();
  const key = multimodalKey(compiler, FLAGS);
  const folder = await cachedBuild({ kind: 'mtmd', key, log }, (places) =>
    stage('Built libmtmd', () => buildMultimodal(places, FLAGS, log)),
  );
  return { folder, key, route: 'prebuilt', binaries };
}
