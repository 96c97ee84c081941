/**
 * Tests of the addon for linux-arm64, under qemu on this x64 machine:
 *
 *     npm run cross -- linux-arm64               first, which needs zig
 *     npm run test:arm64 -- [PART-OF-A-PATH …]   default: native/ engine/ evaluators/
 *
 * Needs Debian or Ubuntu with apt-get and dpkg (nothing is installed, and nobody needs to be root) and, the first time,
 * Debian's mirror and npm's registry, 130 MB. It takes ten times as long as on a processor of its own, so it is no part of
 * `npm test`. QEMU_CPU names the processor, neoverse-n1 without it.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { arm64Tools } from './tools.mjs';

const LIMIT_MS = 30 * 60_000;
const ADDON = join(PACKAGE_ROOT, 'build', 'targets', 'linux-arm64', 'eta-vlm.node');
const WORK = join(PACKAGE_ROOT, 'build', 'arm64');
const TESTS = join(PACKAGE_ROOT, 'test');

if (!existsSync(ADDON)) {
  console.error(`Expected the addon for linux-arm64 at ${ADDON}. Build it: npm run cross -- linux-arm64`);
  process.exit(2);
}
mkdirSync(WORK, { recursive: true });
const node = nodeThroughQemu(arm64Tools());
const parts = process.argv.length > 2 ? process.argv.slice(2) : ['native/', 'engine/', 'evaluators/'];
const found = readdirSync(TESTS, { recursive: true })
  .filter((name) => name.endsWith('.test.ts') && parts.some((part) => name.includes(part)))
  .sort();
// They compile an addon of this machine, in which failures are planted.
const leftOut = found.filter((name) => /planted-addon|failure-storm/.test(readFileSync(join(TESTS, name), 'utf8')));
const files = found.filter((name) => !leftOut.includes(name));

const totals = { pass: 0, fail: 0, cancelled: 0, skipped: 0 };
for (const file of files) {
  const startedAt = performance.now();
  const { text, end } = await runFile(file);
  const counts = count(text, end);
  for (const name of Object.keys(totals)) totals[name] += counts[name] ?? 0;
  const log = join(WORK, `${file.replaceAll('/', '-')}.tap`);
  writeFileSync(log, text);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(`${file}: ${JSON.stringify(counts)}, ${seconds} s${counts.fail > 0 ? `, ${log}` : ''}`);
}
console.log(`${files.length} files: ${JSON.stringify(totals)}`);
if (leftOut.length > 0) console.log(`left out, because they compile an addon: ${leftOut.join(', ')}`);
process.exitCode = totals.fail + totals.cancelled > 0 ? 1 : 0;

/**
 * The kernel cannot start arm64's Node, but it can start a script that starts qemu: that is what Node is told to be, so that
 * tests can start it again.
 */
function nodeThroughQemu({ qemu, root, node: program, modules }) {
  const [script, preload] = [join(WORK, 'node'), join(WORK, 'exec-path.mjs')];
  const esbuild = createRequire(createRequire(import.meta.url).resolve('tsx')).resolve(
    '@esbuild/linux-x64/package.json',
  );
  writeFileSync(preload, `process.execPath = ${JSON.stringify(script)};\n`);
  const lines = [
    '#!/bin/sh',
    `export QEMU_CPU="\${QEMU_CPU:-neoverse-n1}"`,
    `export NODE_PATH='${modules}'  # sharp's library for arm64`,
    `export ESBUILD_BINARY_PATH='${join(dirname(esbuild), 'bin', 'esbuild')}'  # tsx's compiler may be of this machine`,
    `exec '${qemu}' -L '${root}' '${program}' --import '${preload}' "$@"`,
  ];
  writeFileSync(script, `${lines.join('\n')}\n`, { mode: 0o755 });
  return script;
}

function runFile(file) {
  const env = { ...process.env, ETA_VLM_ADDON: ADDON, ORT_DISABLE_TELEMETRY: '1' };
  const args = ['--import', 'tsx', '--test-reporter=tap', join(TESTS, file)];
  return new Promise((resolve) => {
    const options = { env, cwd: PACKAGE_ROOT, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS };
    const child = spawn(node, args, options);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
    child.on('close', (code, signal) => resolve({ text, end: code ?? signal }));
  });
}

/** Without a summary the file did not come to its end. */
function count(text, end) {
  const numbers = ['pass', 'fail', 'cancelled', 'skipped'].map((name) => [
    name,
    Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN),
  ]);
  return numbers.some(([, value]) => Number.isNaN(value)) ? { pass: 0, fail: 1, end } : Object.fromEntries(numbers);
}
