/**
 * `npm run test:vulkan [-- PATH-FRAGMENT ...]`: the tests with all layers, the projector and the caches on a Vulkan device,
 * which Mesa's lavapipe computes on the processor, in a Debian 13 of its own. Nothing of it needs a GPU.
 *
 * Exit status: that of the tests; 3 where they could not run, or had no time to end, with the reason.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { BuildError, say } from '../../native/build/progress.mjs';
import { plantedDevice, vulkanAddon } from './addon.mjs';
import { largestDifferences } from './figures.mjs';
import { inside, vulkanRoot, whyNot } from './root.mjs';

const COULD_NOT_RUN = 3;

/** Whose models are on the device. Those with planted failures of llama.cpp need a compiler, which the root lacks. */
const TESTS = [
  'native/arguments',
  'native/failure',
  'native/fork',
  'native/hidden-state',
  'native/image',
  'native/kinds',
  'native/lifecycle',
  'native/model',
  'native/run',
  'engine/admission',
  'engine/exit',
  'engine/model',
  'engine/neighbours',
  'engine/output',
  'engine/restore',
  'engine/scheduler',
  'engine/sequence',
  'engine/unawaited',
  'eta/lifecycle',
  'eta/methods',
  'eta/miniature',
  'eta/respond',
  'batch/run',
  'evaluators/reward-trunk',
  'vulkan/',
];

const BACKEND = join(
  PACKAGE_ROOT,
  'node_modules/@node-llama-cpp/linux-x64-vulkan/bins/linux-x64-vulkan/libggml-vulkan.so',
);
const figures = join(PACKAGE_ROOT, 'build', 'vulkan', 'figures.jsonl');
const control = join(PACKAGE_ROOT, 'build', 'vulkan', 'planted-device');

function environment(addon, planted) {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/root',
    ORT_DISABLE_TELEMETRY: '1',
    // ggml leaves out devices that are processors, unless they are named.
    GGML_VK_VISIBLE_DEVICES: '0',
    // 16-bit sums would widen the bounds some hundred times; a GPU has its own, see docs/native.md.
    GGML_VK_DISABLE_F16: '1',
    MESA_SHADER_CACHE_DIR: '/var/cache/mesa',
    ETA_VLM_ADDON: addon,
    ETA_VLM_TEST_BACKEND: BACKEND,
    ETA_VLM_TEST_DEVICE: 'Vulkan0',
    ETA_VLM_TEST_FIGURES: figures,
    ETA_VLM_PLANTED_DEVICE: control,
    ETA_VLM_PLANTED_LIBRARY: planted,
    NODE_OPTIONS: `--import ${new URL('preload.mjs', import.meta.url).href}`,
  };
}

/** @returns status of the program; null where its time ran out */
function runInside(root, env, command, timeoutMs) {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [program, args] = inside(root, ['env', '-i', ...variables, ...command]);
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', timeout: timeoutMs, killSignal: 'SIGKILL' });
  if (error !== undefined && error.code !== 'ETIMEDOUT') throw error;
  return status;
}

async function main(fragments) {
  const reason = whyNot() ?? (existsSync(BACKEND) ? undefined : `it needs ${BACKEND}: npm ci`);
  if (reason !== undefined) return couldNot(reason);
  const addon = await vulkanAddon();
  const planted = await plantedDevice();
  const root = vulkanRoot();
  if (root === undefined) return couldNot('Debian cannot be had from its mirror');
  mkdirSync(dirname(figures), { recursive: true });
  rmSync(figures, { force: true });
  writeFileSync(control, new Uint8Array(4096));
  const env = environment(addon, planted);
  const limitMs = 1000 * Number(process.env['ETA_VLM_VULKAN_SECONDS'] ?? 3600);
  const end = Date.now() + limitMs;
  say('Warms the cache of shaders: a minute or two the first time, then seconds');
  // Shaders are compiled in the middle of tests that measure time, unless they are there before.
  const warmed = runInside(root, env, ['node', '--import', 'tsx', 'test/vulkan/warm.ts'], limitMs);
  if (warmed !== 0) return warmed ?? couldNot(`${limitMs / 1000} s were not enough to compile the shaders`);
  const tests = fragments.length > 0 ? fragments : TESTS;
  const status = runInside(root, env, ['node', 'test/run.mjs', ...tests], Math.max(1, end - Date.now()));
  for (const line of existsSync(figures) ? largestDifferences(readFileSync(figures, 'utf8')) : []) say(line);
  return status ?? couldNot(`the tests were not done after ${limitMs / 1000} s`);
}

function couldNot(reason) {
  say(`The tests on Vulkan did not run: ${reason}.`);
  return COULD_NOT_RUN;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  say(error.message);
  process.exitCode = error.exitCode;
}
