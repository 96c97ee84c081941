/**
 * Tests of the addon for linux-arm64, under qemu on this x64 machine:
 *
 *     node native/cross.mjs linux-arm64          first, which needs zig
 *     npm run test:arm64 -- [PART-OF-A-PATH …]   default: native/ engine/ evaluators/
 *
 * Needs Debian or Ubuntu with apt-get and dpkg (nothing is installed, and nobody needs to be root) and, the first time,
 * Debian's mirror and npm's registry, 130 MB. It takes ten times as long as on a processor of its own, so it is no part of
 * `npm test`. QEMU_CPU names the processor, neoverse-n1 without it.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { arm64Tools } from './tools.mjs';
import { javascriptTree } from './tree.mjs';

const LIMIT_MS = 30 * 60_000;
const BUILT = join(PACKAGE_ROOT, 'build', 'targets', 'linux-arm64');
const WORK = join(PACKAGE_ROOT, 'build', 'arm64');
const TREE = join(WORK, 'tree');

if (!existsSync(join(BUILT, 'eta-vlm.node'))) {
  console.error(`Expected the addon for linux-arm64 in ${BUILT}. Build it: node native/cross.mjs linux-arm64`);
  process.exit(2);
}
const tools = arm64Tools();
javascriptTree(TREE);
const node = nodeThroughQemu();
const wanted = process.argv.slice(2);
const parts = wanted.length === 0 ? ['native/', 'engine/', 'evaluators/'] : wanted;
const files = readdirSync(join(TREE, 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.js') && parts.some((part) => name.includes(part)))
  .sort();
const totals = { pass: 0, fail: 0, cancelled: 0, skipped: 0 };
for (const file of files) {
  const { counts, text, seconds } = await runFile(file);
  for (const name of Object.keys(totals)) totals[name] += counts[name] ?? 0;
  const log = join(WORK, `${file.replaceAll('/', '-')}.tap`);
  writeFileSync(log, text);
  console.log(`${file}: ${JSON.stringify(counts)}, ${seconds.toFixed(0)} s${counts.fail > 0 ? `, ${log}` : ''}`);
}
console.log(`${files.length} files: ${JSON.stringify(totals)}`);
process.exitCode = totals.fail + totals.cancelled > 0 ? 1 : 0;

/**
 * The kernel cannot start arm64's Node, but it can start a script that starts qemu: that is what Node is told to be, so that
 * tests can start it again. A child's TypeScript is compiled already.
 */
function nodeThroughQemu() {
  const [program, preload] = [join(WORK, 'node'), join(WORK, 'exec-path.mjs')];
  writeFileSync(preload, `process.execPath = ${JSON.stringify(program)};\n`);
  const script = `#!/bin/sh
export QEMU_CPU="\${QEMU_CPU:-neoverse-n1}"
export NODE_PATH='${tools.modules}'  # sharp's library for arm64
count=$#
while [ $count -gt 0 ]; do
  argument=$1; shift; count=$((count - 1))
  if [ "$argument" = --import ] && [ "$1" = tsx ]; then shift; count=$((count - 1)); continue; fi
  case "$argument" in '${TREE}'/*.ts) argument="\${argument%.ts}.js" ;; esac
  set -- "$@" "$argument"
done
exec '${tools.qemu}' -L '${tools.root}' '${tools.node}' --import '${preload}' "$@"
`;
  writeFileSync(program, script, { mode: 0o755 });
  return program;
}

function runFile(file) {
  const startedAt = performance.now();
  const env = { ...process.env, ETA_VLM_ADDON: join(BUILT, 'eta-vlm.node'), ORT_DISABLE_TELEMETRY: '1' };
  const args = ['--enable-source-maps', '--test-reporter=tap', join(TREE, 'test', file)];
  return new Promise((resolve) => {
    const child = spawn(node, args, { env, cwd: TREE, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
    child.on('close', (code, signal) => {
      resolve({ counts: count(text, code ?? signal), text, seconds: (performance.now() - startedAt) / 1000 });
    });
  });
}

function count(text, end) {
  const counts = {};
  for (const name of ['pass', 'fail', 'cancelled', 'skipped']) {
    const found = new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1];
    if (found !== undefined) counts[name] = Number(found);
  }
  // Without a summary the file did not come to its end.
  if (counts.pass === undefined) return { pass: 0, fail: 1, end };
  return counts;
}
