/** Nothing leaves: what a process that uses this package writes and whom it calls, as a user starts it, without CI. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const packageRoot = fileURLToPath(new URL('../../', import.meta.url));
const trap = fileURLToPath(new URL('telemetry-trap.mjs', import.meta.url));
const program = fileURLToPath(new URL('telemetry-program.mjs', import.meta.url));
const COLLECTOR = 'mobile.events.data.microsoft.com';
/** onnxruntime's first connection comes after 9 seconds. */
const LINGER_MS = 13_000;

interface Program {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly endsAtConnection?: boolean;
}

interface Trapped {
  readonly connectionCount: number;
  readonly ended: Readonly<
    Record<string, { code: number | null; signal: string | null; wallMs: number; files: string[]; stderr: string }>
  >;
}

const ON = { ORT_DISABLE_TELEMETRY: '0' };
const ASK = ['dist/cli/main.js', 'ask', '--image', 'models/miniature/pictures/clean-04.png', 'Where is the cup?'];
const PROGRAMS: readonly Program[] = [
  { name: 'command line', args: ASK },
  { name: 'command line, asked to report', args: ASK, env: ON },
  { name: 'doctor', args: ['dist/cli/main.js', 'doctor'], env: ON },
  { name: 'library', args: [program, 'library'] },
  { name: 'library, asked to report', args: [program, 'library'], env: ON },
  { name: 'library in a worker thread', args: [program, 'worker'] },
  { name: 'library in a forked child', args: [program, 'fork'] },
];
const CONTROL: Program = { name: 'onnxruntime alone', args: [program, 'onnxruntime'], endsAtConnection: true };

/** The words that put a command into namespaces of its own, or why there are none. */
function namespaces(): readonly string[] | string {
  if (process.platform !== 'linux') return 'namespaces are Linux';
  for (const words of [
    ['unshare', '--net', '--mount'],
    ['unshare', '--user', '--map-root-user', '--net', '--mount'],
  ]) {
    const tried = spawnSync(words[0] as string, [...words.slice(1), 'ip', 'link', 'set', 'lo', 'up']);
    if (tried.status === 0) return words;
  }
  return 'no namespaces can be made here (unshare --net --mount, with ip)';
}

const wrapped = namespaces();
const skip = typeof wrapped === 'string' ? wrapped : false;

async function catchAll(programs: readonly Program[], isIsolated: boolean): Promise<Trapped> {
  const order = { programs, limitMs: 60_000, ...(isIsolated ? { collector: COLLECTOR, lingerMs: LINGER_MS } : {}) };
  const words = [...(isIsolated ? (wrapped as string[]) : []), process.execPath, trap, JSON.stringify(order)];
  const child = spawn(words[0] as string, words.slice(1), { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(stdout) as Trapped;
}

/** Commands remember there which model files they verified, as digests: the one thing that is written unasked. */
const REMEMBERED = process.platform === 'linux' ? ['.cache/eta-vlm/verified.json'] : [];

function assertQuiet({ connectionCount, ended }: Trapped): void {
  assert.equal(Object.keys(ended).length, PROGRAMS.length);
  for (const [name, { code, signal, files: all, stderr }] of Object.entries(ended)) {
    const files = name.startsWith('command line') ? all.filter((file) => !REMEMBERED.includes(file)) : all;
    assert.deepEqual({ code, signal, files }, { code: 0, signal: null, files: [] }, `${name}: ${stderr}`);
    assert.doesNotMatch(stderr, /ETA_ONNXRUNTIME_TELEMETRY/, name);
  }
  assert.equal(connectionCount, 0);
}

test('no form of use leaves a file behind that is not told of, whatever the environment asks for', async () => {
  assertQuiet(await catchAll(PROGRAMS, false));
});

test('with a silent collector: no file, no connection, and every process ends', { skip }, async () => {
  assertQuiet(await catchAll(PROGRAMS, true));
});

test('the trap sees what onnxruntime does by itself', { skip }, async () => {
  const { connectionCount, ended } = await catchAll([CONTROL], true);
  assert.ok(connectionCount > 0, JSON.stringify(ended));
  assert.ok(ended[CONTROL.name]?.files.some((path) => path.endsWith('onnxruntime.db')));
});

test('an application that had loaded onnxruntime before is warned once, unless it was quiet', { skip }, async () => {
  const host = [program, 'host'];
  const { ended } = await catchAll(
    [
      { name: 'loud', args: host, env: { LINGER_MS: '0' } },
      { name: 'quiet', args: host, env: { LINGER_MS: '0', ORT_DISABLE_TELEMETRY: ' Yes' } },
      { name: 'build machine', args: host, env: { LINGER_MS: '0', CI: 'true' } },
    ],
    true,
  );
  const warnings = ended['loud']?.stderr.match(/\[ETA_ONNXRUNTIME_TELEMETRY\] EtaWarning: onnxruntime 1\.\d+/g);
  assert.equal(warnings?.length, 1, ended['loud']?.stderr);
  assert.match(ended['loud']?.stderr ?? '', /Set ORT_DISABLE_TELEMETRY=1/);
  for (const name of ['quiet', 'build machine']) {
    assert.deepEqual({ code: ended[name]?.code, stderr: ended[name]?.stderr }, { code: 0, stderr: '' }, name);
  }
});

test('in a worker thread the variable reaches the process itself', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads');
    import('tsx/esm/api').then(async ({ register }) => {
      register();
      const { keepTelemetryOff } = await import(${JSON.stringify(new URL('../../src/onnx/telemetry.ts', import.meta.url).href)});
      keepTelemetryOff();
      parentPort.postMessage(process.env.ORT_DISABLE_TELEMETRY);
    });`;
  const before = process.env['ORT_DISABLE_TELEMETRY'];
  process.env['ORT_DISABLE_TELEMETRY'] = '0';
  try {
    const worker = new Worker(code, { eval: true });
    const copy = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    assert.deepEqual([copy, process.env['ORT_DISABLE_TELEMETRY']], ['1', '1']);
    await worker.terminate();
  } finally {
    if (before !== undefined) process.env['ORT_DISABLE_TELEMETRY'] = before;
  }
});
