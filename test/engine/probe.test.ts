/** A load tried in a process of its own: what ends that process is an error here, and nothing else ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Model } from '../../src/engine/index.js';
import { probeModel } from '../../src/engine/probe.js';
import { type ProbeEnd, refusalOf } from '../../src/engine/probe-end.js';
import { EtaError } from '../../src/errors.js';
import { PLACE } from '../device.js';
import { golden, tinyModel } from './fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-probe-'));
after(() => rmSync(folder, { recursive: true }));

const modelPath = golden('tiny.gguf');
const projectorPath = golden('tiny-projector.gguf');
const load = { modelPath, projectorPath, device: 'CPU', gpuLayerCount: 0, useMmap: true, useMlock: false };
const isLinux = process.platform === 'linux';

/** A copy whose number behind a key is -1, which llama.cpp asserts that it is not, in the middle of a step. It is looked at beforehand. */
function negative(path: string, key: string): string {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(key);
  assert.ok(at > 0, `${path} lacks ${key}`);
  bytes.writeFloatLE(-1, at + key.length + 4); // behind the number of its type
  const changed = join(folder, `${key}.gguf`);
  writeFileSync(changed, bytes);
  return changed;
}

const RMS = 'attention.layer_norm_rms_epsilon';
const VISION = 'clip.vision.attention.layer_norm_epsilon';

/** Probes that a process started, and that are there; tsx starts processes too. Linux. */
function children(of = process.pid): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => isProbeOf(pid, of));
}

function isProbeOf(pid: number, parent: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return status.includes(`\nPPid:\t${parent}\n`) && line.includes('probe-child');
  } catch {
    return false; // it ended meanwhile
  }
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (what()) return;
    await sleep(20);
  }
  assert.fail('it did not come to pass');
}

test('what is whole loads, after it was tried', async () => {
  await using model = await tinyModel({ probe: true });
  assert.ok(model.facts.hasVision);
  await using text = await Model.load({ modelPath, probe: true, ...PLACE });
  assert.equal(text.facts.hasVision, false);
});

test('what is known to end a process is refused before one is tried', async () => {
  const language = { modelPath: negative(modelPath, RMS) };
  const projector = { modelPath, projectorPath: negative(projectorPath, VISION) };
  for (const [options, key] of [
    [language, RMS],
    [projector, VISION],
  ] as const)
    for (const probe of [true, false])
      await assert.rejects(Model.load({ ...options, probe, device: 'CPU' }), {
        name: 'ModelError',
        code: 'ERR_MODEL_INVALID',
        message: new RegExp(`expected \\S*${key} to be a number >= 0`),
      });
});

test('a child that is ended: an error, and this process goes on', { skip: !isLinux }, async () => {
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 20);
  const failed = assert.rejects(probeModel(load), {
    name: 'ModelError',
    code: 'ERR_MODEL_INVALID',
    message:
      /^Expected \S+ with the projector \S+ to load, tried in a process of its own, but it ended that process with SIGABRT/,
  });
  try {
    await until(() => children().length === 1);
    process.kill(children()[0] ?? 0, 'SIGABRT');
    await failed;
  } finally {
    clearInterval(ticking);
  }
  assert.ok(ticks > 0, `the event loop turned ${ticks} times`);
});

test('what the load throws there comes out as it is thrown here', async () => {
  const noGguf = join(folder, 'text.gguf');
  writeFileSync(noGguf, 'not a GGUF at all'.repeat(100));
  const wrong = [
    { modelPath: noGguf },
    { modelPath: golden('tiny-other.gguf'), projectorPath },
    { modelPath, device: 'Nowhere7' },
  ];
  for (const options of wrong) {
    const own = await Model.load(options).catch((error: unknown) => error);
    assert.ok(own instanceof EtaError, 'it loads');
    const { name, code, message } = own;
    await assert.rejects(Model.load({ ...options, probe: true }), { name, code, message });
  }
});

test('a child that hangs: the signal ends it at once', { skip: !isLinux }, async () => {
  const controller = new AbortController();
  const probing = probeModel(load, controller.signal);
  const failed = assert.rejects(probing, { code: 'ERR_ABORTED', cause: 'enough' });
  await until(() => children().length === 1);
  const [child = 0] = children();
  process.kill(child, 'SIGSTOP');
  assert.equal(await Promise.race([probing.then(String, String), sleep(2000, 'hangs')]), 'hangs');
  controller.abort('enough');
  await failed;
  await until(() => !children().includes(child));
});

test('a signal that has fired starts nothing', async () => {
  await assert.rejects(probeModel(load, AbortSignal.abort()), { code: 'ERR_ABORTED' });
  if (isLinux) assert.deepEqual(children(), []);
});

test('a child that takes too long is ended', async () => {
  await assert.rejects(probeModel(load, undefined, 30), {
    code: 'ERR_MODEL_INVALID',
    message: /did not come to an end within 1 s\. Fetch it again/,
  });
  if (isLinux) assert.deepEqual(children(), []);
});

test('the child goes with a parent that is killed', { skip: !isLinux }, async () => {
  const probe = JSON.stringify(new URL('../../src/engine/probe.ts', import.meta.url).href);
  const program = `const { probeModel } = await import(${probe}); await probeModel(${JSON.stringify(load)});`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program]);
  const gone = once(parent, 'close');
  await until(() => children(parent.pid).length === 1);
  const [child = 0] = children(parent.pid);
  parent.kill('SIGKILL');
  await gone;
  await until(() => !existsProcess(child));
});

function existsProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('what an end means', () => {
  const end: ProbeEnd = { code: null, signal: 'SIGSEGV', stdout: '', stderr: '', isLate: false, limitMs: 1 };
  const said = (more: Partial<ProbeEnd>) => refusalOf({ ...end, ...more }, load)?.message ?? null;
  assert.match(said({}) ?? '', /ended that process with SIGSEGV\. A file is damaged/);
  assert.match(said({ signal: null, code: 0 }) ?? '', /exit code 0\./, 'an end without an answer');
  assert.match(said({ signal: 'SIGKILL' }) ?? '', /from outside/);
  const escaped = said({ stderr: `first\n\u001b[31mred\u0007 ${'x'.repeat(1000)}\n\n` }) ?? '';
  assert.match(escaped, /\(\[31mred {2}x{180,200}\.\.\.\)/);
  const lasting = (last: string) => /SIGSEGV \((.*)\)\. A file/.exec(said({ stderr: `${last}\n` }) ?? '')?.[1] ?? '';
  for (const count of [199, 200]) assert.equal(lasting('x'.repeat(count)), 'x'.repeat(count));
  assert.equal(lasting('x'.repeat(201)), `${'x'.repeat(197)}...`);
  assert.equal(lasting('/home/somebody/ggml/src/ggml.c:12: assertion failed'), 'ggml.c:12: assertion failed');
  assert.equal(lasting('one\n  \n'), 'one', 'a blank line tells nothing');
  const late = (limitMs: number) => said({ isLate: true, limitMs }) ?? '';
  assert.match(late(1000), /within 1 s\. Fetch it again, or name another device/);
  assert.match(late(1001), /within 2 s\./);
  assert.match(said({ signal: 'SIGTERM' }) ?? '', /from outside/);
  const alone = refusalOf(end, { ...load, projectorPath: undefined })?.message ?? '';
  assert.ok(alone.startsWith(`Expected ${modelPath} to load, tried`), alone);
  assert.equal(said({ signal: null, code: 0, stdout: 'noise\n{"error":null}\n{"other":1}\n' }), null);
  assert.match(said({ stdout: '{"error":null}\n' }) ?? '', /SIGSEGV/, 'well at first, then ended');
  const error = { name: 'ModelError', code: 'ERR_MEMORY', message: 'Expected room.' };
  const passed = refusalOf({ ...end, signal: null, code: 1, stdout: `${JSON.stringify({ error })}\n` }, load);
  assert.deepEqual([passed?.name, passed?.code, passed?.message], Object.values(error));
});
