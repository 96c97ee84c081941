/**
 * `npm run test:vulkan [-- PATH-FRAGMENT ...]`: the tests with all layers, the projector and the caches on a Vulkan device,
 * which Mesa's lavapipe computes on the processor, in a Debian 13 of its own. Nothing of it needs a GPU.
 *
 * Exit status: that of the tests; 3 where they could not run, or had no time to end, with the reason.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { BuildError, say, stopRunning } from '../../native/build/progress.mjs';
import { buildTypeScript } from '../../native/build/typescript.mjs';
import { cleanAtSignals, runProgram } from '../install/processes.mjs';
import { plantedDevice, vulkanAddon } from './addon.mjs';
import { largestDifferences } from './figures.mjs';
import { inside, removeUnfinished, vulkanRoot, whyNot } from './root.mjs';

const COULD_NOT_RUN = 3;

/** Whose models are on the device. Those with planted failures of llama.cpp need a compiler, which the root lacks. */
const TESTS = [
  ...['arguments', 'failure.test', 'fork', 'hidden-state', 'image', 'kinds', 'lifecycle', 'model', 'run.test'].map(
    (name) => `native/${name}`,
  ),
  ...['exit', 'model', 'neighbours', 'output', 'restore', 'scheduler', 'sequence', 'unawaited'].map(
    (name) => `engine/${name}`,
  ),
  ...['lifecycle', 'methods', 'pictures', 'respond'].map((name) => `eta/${name}`),
  'evaluators/reward-trunk',
  // onnxruntime's WebGPU needs a Vulkan device too.
  'evaluators/device',
];

/** Minutes, so they come last: where the time is short, all the others have run. */
const SLOW_TESTS = ['batch/run'];

/** Under the device with failures on demand, which also tells what the driver has handed out. */
const PLANTED_TESTS = 'vulkan/';

const BACKEND = join(
  PACKAGE_ROOT,
  'node_modules/@node-llama-cpp/linux-x64-vulkan/bins/linux-x64-vulkan/libggml-vulkan.so',
);
const figures = join(PACKAGE_ROOT, 'build', 'vulkan', 'figures.jsonl');
const control = join(PACKAGE_ROOT, 'build', 'vulkan', 'planted-device');

function environment(addon) {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/root',
    ORT_DISABLE_TELEMETRY: '1',
    // ggml leaves out devices that are processors, unless they are named.
    GGML_VK_VISIBLE_DEVICES: '0',
    // 16-bit sums would widen the bounds some hundred times; a GPU has its own, see docs/vulkan.md.
    GGML_VK_DISABLE_F16: '1',
    MESA_SHADER_CACHE_DIR: '/var/cache/mesa',
    ETA_VLM_ADDON: addon,
    ETA_VLM_TEST_DEVICE: 'Vulkan0',
    ETA_VLM_TEST_FIGURES: figures,
    ETA_VLM_REQUIRE_WEBGPU: '1',
  };
}

/** @returns status of the program; null where its time ran out */
async function runInside(root, env, command, timeout) {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [program, args] = inside(root, ['env', '-i', ...variables, ...command]);
  const { status } = await runProgram(program, args, { stdio: ['ignore', 'inherit', 'inherit'], timeout });
  return status;
}

async function main(fragments) {
  const reason = whyNot() ?? (existsSync(BACKEND) ? undefined : `it needs ${BACKEND}: npm ci`);
  if (reason !== undefined) return couldNot(reason);
  const addon = await vulkanAddon();
  const planted = await plantedDevice();
  await buildTypeScript(join(PACKAGE_ROOT, 'build', 'typescript.log')); // the tests of batches run dist/
  const root = await vulkanRoot();
  if (root === undefined) return couldNot('Debian cannot be had from its mirror');
  mkdirSync(dirname(figures), { recursive: true });
  rmSync(figures, { force: true });
  writeFileSync(control, new Uint8Array(4096));
  const env = environment(addon);
  const limit = Number(process.env['ETA_VLM_VULKAN_SECONDS'] ?? 3600);
  const end = Date.now() + 1000 * limit;
  const run = (command, more = {}) => runInside(root, { ...env, ...more }, command, Math.max(1, end - Date.now()));
  say('Compiles the shaders: minutes the first time, then seconds');
  // Else they are compiled in the middle of tests that measure time.
  const warmed = await run(['node', '--import', 'tsx', 'test/vulkan/warm.ts']);
  if (warmed !== 0) return warmed ?? couldNot(`${limit} s were not enough to compile the shaders`);
  const asked = fragments.length > 0 ? fragments : [PLANTED_TESTS, ...TESTS, ...SLOW_TESTS];
  const device = { LD_PRELOAD: planted, ETA_VLM_PLANTED_DEVICE: control };
  const statuses = [];
  for (const [belongs, more] of [[isPlanted, device], [isUsual], [isSlow]]) {
    const group = asked.filter(belongs);
    if (group.length > 0) statuses.push(await run(['node', '--import', 'tsx', 'test/run.mjs', ...group], more));
  }
  for (const line of existsSync(figures) ? largestDifferences(readFileSync(figures, 'utf8')) : []) say(line);
  const failed = statuses.find((status) => status !== 0 && status !== null);
  return failed ?? (statuses.includes(null) ? couldNot(`they were not done after ${limit} s`) : 0);
}

const isPlanted = (fragment) => fragment.startsWith(PLANTED_TESTS);
const isSlow = (fragment) => SLOW_TESTS.includes(fragment);
const isUsual = (fragment) => !isPlanted(fragment) && !isSlow(fragment);

function couldNot(reason) {
  say(`The tests on Vulkan did not run, or not all of them: ${reason}.`);
  return COULD_NOT_RUN;
}

cleanAtSignals(() => {
  stopRunning('SIGTERM');
  removeUnfinished();
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  say(error.message);
  process.exitCode = error.exitCode;
}
