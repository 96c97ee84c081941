/**
 * `npm run test:sanitized -- address|thread [PATH-FRAGMENT ...]`: the tests of the native code with llama.cpp and the addon
 * built under a sanitizer of the compiler, which sees memory that is read beyond its end or after it was freed, undefined
 * behaviour, and two threads that race. Linux with g++; minutes to build the first time, and some times slower to run.
 *
 * Exit status: 1 where a test failed, or a report names a file of ours; reports of others' files are listed.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { BuildError, say, stopRunning } from '../../native/build/progress.mjs';
import { cleanAtSignals, runProgram } from '../install/processes.mjs';
import { reportsIn } from './reports.mjs';
import { plantedFaults, preloaded, SANITIZERS, sanitizedAddon } from './sanitizer.mjs';

/**
 * What enters the addon in every way it can be entered; nothing that measures time or memory. Of allocations and decodes
 * that fail nothing: those tests build an addon of their own, which no sanitizer watches.
 */
const TESTS = [
  ...['arguments', 'failure.test', 'fork', 'hidden-state', 'image', 'kinds', 'lifecycle', 'model', 'run.test'],
  ...['addon-fuzz', 'kv-cells', 'sampler', 'thread-count', 'onnx-turn'],
].map((name) => `native/${name}`);
const ROOMS = ['engine/', 'decision/', 'fuzz/gguf', 'eta/lifecycle', 'eta/methods', 'eta/pictures', 'eta/respond'];

/** V8 has no place for leaks to be told from what lives until the end, and uses SIGSEGV for itself. */
const OPTIONS = {
  ASAN_OPTIONS: 'detect_leaks=0:allow_user_segv_handler=1:detect_stack_use_after_return=0',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=0:exitcode=0',
};

function environment(name, addon, reports) {
  const options = Object.entries(OPTIONS).map(([key, value]) => [key, `${value}:log_path=${join(reports, 'report')}`]);
  return {
    ...process.env,
    ...Object.fromEntries(options),
    UBSAN_REPORTS: join(reports, 'undefined'),
    LD_PRELOAD: preloaded(name),
    ETA_VLM_ADDON: addon,
    ORT_DISABLE_TELEMETRY: '1',
  };
}

async function main([name, ...fragments]) {
  if (SANITIZERS[name] === undefined)
    throw new BuildError(`Expected ${Object.keys(SANITIZERS).join(' or ')}, received ${name ?? 'nothing'}.`, 2);
  const addon = await sanitizedAddon(name);
  const reports = emptyFolder(`${name}-reports`);
  await checkThatItSees(name, addon);
  const asked = fragments.length > 0 ? fragments : [...TESTS, ...ROOMS];
  const { status } = await runProgram(process.execPath, ['--import', 'tsx', 'test/run.mjs', ...asked], {
    cwd: PACKAGE_ROOT,
    env: environment(name, addon, reports),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const found = reportsIn(reports, PACKAGE_ROOT);
  for (const { count, where, what } of found) say(`${count} times ${what} in ${where}`);
  say(`${found.length} kinds of reports, ${found.filter(({ isOurs }) => isOurs).length} of files of ours`);
  return status === 0 && found.some(({ isOurs }) => isOurs) ? 1 : (status ?? 1);
}

function emptyFolder(name) {
  const folder = join(PACKAGE_ROOT, 'build', 'sanitized', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Silence counts only from one that is not deaf. */
async function checkThatItSees(name, addon) {
  const reports = emptyFolder(`${name}-planted`);
  const load = `try { process.dlopen({ exports: {} }, ${JSON.stringify(plantedFaults(name))}) } catch {}`;
  await runProgram(process.execPath, ['-e', load], { env: environment(name, addon, reports) });
  const found = reportsIn(reports, PACKAGE_ROOT).map(({ what }) => what);
  const unseen = SANITIZERS[name].planted.filter((fault) => !found.some((what) => fault.test(what)));
  if (unseen.length === 0) return;
  throw new BuildError(
    `Expected the ${name} sanitizer to see ${unseen.join(' and ')} in test/sanitized/planted.cpp; it told: ${found.join(', ') || 'nothing'}.`,
  );
}

cleanAtSignals(() => stopRunning('SIGTERM'));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  say(error.message);
  process.exitCode = error.exitCode;
}
