/**
 * While a graph is opened nothing stops onnxruntime, and it may never end. Who waits is let go, and so is the process. A pipe
 * that nobody writes into is such a graph.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { RewardModel } from '../../src/reward/model.js';
import { golden, goldenFolder } from './golden.js';

const FOLDER = `${goldenFolder}reward-scalar`;
const scratch = mkdtempSync(join(tmpdir(), 'eta-opening-'));
after(() => rmSync(scratch, { recursive: true }));
const isPosix = process.platform !== 'win32';

let pipes = 0;
function pipe(): string {
  const path = join(scratch, `${pipes++}.onnx`);
  execFileSync('mkfifo', [path]);
  return path;
}

/** Lets whoever waits at the pipe go on, with a graph of no bytes. */
const release = (path: string) => writeFileSync(path, '');

/** Opens a pipe until the thread is inside. */
async function openingOf(worker: EvaluatorWorker, path: string, signal?: AbortSignal) {
  const opening = worker.open(worker.nextId(), { path, cache: null, provider: 'cpu' }, signal);
  opening.catch(() => undefined);
  await setTimeout(300);
  return { opening };
}

async function endsSoon(what: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const late = setTimeout(5000, 'late', { signal: timer.signal }).catch(() => undefined);
  const ended = what.then(
    () => 'ended',
    () => 'ended',
  );
  assert.equal(await Promise.race([ended, late]), 'ended');
  timer.abort();
}

test('a signal is heard while a graph is opened, and the worker goes on when it has been', {
  skip: !isPosix,
}, async () => {
  const worker = await EvaluatorWorker.start();
  const kept = await RewardModel.load({ worker, folder: FOLDER });
  const path = pipe();
  const controller = new AbortController();
  const { opening } = await openingOf(worker, path, controller.signal);
  controller.abort();
  await endsSoon(opening);
  await assert.rejects(opening, { code: 'ERR_ABORTED' });
  await endsSoon(kept.dispose()); // its session is closed when the thread is out
  const next = RewardModel.load({ worker, folder: FOLDER });
  release(path);
  assert.ok(Number.isFinite(await (await next).score([{ role: 'user', content: golden.prompt }], 'x')));
  await worker.dispose();
});

test('a graph that was opened for nobody is closed', { skip: !isPosix }, async () => {
  const worker = await EvaluatorWorker.start();
  const controller = new AbortController();
  const path = `${FOLDER}/model.onnx`;
  const session = worker.nextId();
  const opening = worker.open(session, { path, cache: null, provider: 'cpu' }, controller.signal);
  controller.abort(); // it has been sent
  await assert.rejects(opening, { code: 'ERR_ABORTED' });
  const other = await RewardModel.load({ worker, folder: FOLDER });
  await assert.rejects(worker.run({ session, feeds: {}, outputs: [] }), /is not open/);
  await other.dispose();
  await worker.dispose();
});

test('dispose is heard while a graph is opened', { skip: !isPosix }, async () => {
  const worker = await EvaluatorWorker.start();
  const path = pipe();
  const { opening } = await openingOf(worker, path);
  const queued = worker.open(worker.nextId(), { path, cache: null, provider: 'cpu' });
  const refused = Promise.all([opening, queued].map((one) => assert.rejects(one, { code: 'ERR_DISPOSED' })));
  await endsSoon(worker.dispose());
  await endsSoon(refused);
  await refused;
  release(path);
});

for (const [how, body] of [
  ['by itself', 'process.exitCode = 7;'],
  ['by process.exit()', 'process.exit(7);'],
  ['after dispose', 'await worker.dispose(); process.exitCode = 7;'],
] as const) {
  test(`a process ends ${how} with its code while a graph is opened for nobody`, { skip: !isPosix }, async () => {
    const source = JSON.stringify(new URL('../../src/onnx/worker.ts', import.meta.url).href);
    const script = `
      import { EvaluatorWorker } from ${source};
      const worker = await EvaluatorWorker.start();
      const signal = AbortSignal.timeout(300);
      const path = ${JSON.stringify(pipe())};
      await worker.open(1, { path, cache: null, provider: 'cpu' }, signal).catch(() => undefined);
      ${body}`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: 'ignore',
    });
    const killer = new AbortController();
    void setTimeout(20_000, undefined, { signal: killer.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
    const ended = await new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
    killer.abort();
    assert.deepEqual(ended, { code: 7, signal: null });
  });
}
