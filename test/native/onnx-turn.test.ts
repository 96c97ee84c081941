/** One thread of the process at a time inside a device of onnxruntime's; a thread that ends gives its turn back. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { binding } from './fixture.js';

const addon =
  process.env['ETA_VLM_ADDON'] ?? fileURLToPath(new URL('../../build/Release/eta-vlm.node', import.meta.url));

const BUILT_BINDING = fileURLToPath(new URL('../../dist/native/binding.js', import.meta.url));

/** A thread that enters, counts who is inside with it, leaves; again and again, or stays inside. */
const CODE = `
  const { parentPort, workerData: { addon, counts, rounds, stays } } = require('node:worker_threads');
  const { enterDevice, leaveDevice } = require(addon);
  const isInside = () => enterDevice(50); // as src/onnx/presence.ts has it
  const inside = new Int32Array(counts ?? new SharedArrayBuffer(12));
  for (let round = 0; round < rounds; round++) {
    if (round === 0) parentPort.postMessage('waiting');
    while (!isInside());
    enterDevice(0); // at once, and one leaving ends it
    const others = Atomics.add(inside, 0, 1);
    if (others > 0) Atomics.add(inside, 1, 1);
    for (const until = performance.now() + 1; performance.now() < until; );
    Atomics.sub(inside, 0, 1);
    if (round < rounds - 1) leaveDevice();
  }
  Atomics.add(inside, 2, 1);
  parentPort.postMessage('inside');
  if (stays) setInterval(() => undefined, 1000);
`;

function start(counts: SharedArrayBuffer, rounds: number, stays = false) {
  const worker = new Worker(CODE, { eval: true, workerData: { addon, counts, rounds, stays } });
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
  return { worker, ended };
}

const said = (worker: Worker, word: string) =>
  new Promise<void>((resolve) => {
    worker.on('message', (message) => {
      if (message === word) resolve();
    });
  });

test('two threads are never inside at once, and each that ends inside lets the next in', async () => {
  createRequire(import.meta.url)(addon); // on the main thread first
  const counts = new SharedArrayBuffer(12);
  await Promise.all([1, 2, 3].map(() => start(counts, 40).ended));
  const [now, together, ended] = new Int32Array(counts);
  assert.deepEqual({ now, together, ended }, { now: 0, together: 0, ended: 3 });
});

test('a thread waits while another is inside, and leaving without entering does nothing', async () => {
  binding.leaveDevice();
  assert.equal(binding.enterDevice(0), true);
  const counts = new SharedArrayBuffer(12);
  const inside = new Int32Array(counts);
  const { worker, ended } = start(counts, 1);
  await said(worker, 'waiting');
  await setTimeout(100);
  assert.equal(inside[2], 0, 'the other thread waits');
  binding.leaveDevice();
  await ended;
  assert.equal(inside[2], 1);
  assert.equal(binding.enterDevice(0), true, 'the other has given it back with its end');
  binding.leaveDevice();
});

test('a wait comes to its end, and a thread that waits can be ended, as one that is inside', {
  timeout: 5000,
}, async () => {
  const holder = start(new SharedArrayBuffer(12), 1, true).worker;
  await said(holder, 'inside');
  assert.equal(binding.enterDevice(20), false);
  const waiter = start(new SharedArrayBuffer(12), 1).worker;
  await said(waiter, 'waiting');
  await waiter.terminate();
  assert.equal(binding.enterDevice(0), false, 'the other is inside still');
  await holder.terminate();
  assert.equal(binding.enterDevice(0), true);
  binding.leaveDevice();
});

test('the process ends beside a thread that is inside and one that waits for it', () => {
  const code = `
    const { Worker } = require('node:worker_threads');
    const { once } = require('node:events');
    const start = () => new Worker(process.argv[1], { eval: true, workerData: JSON.parse(process.argv[2]) });
    import(process.argv[3]).then(({ loadBinding }) => {
      loadBinding(); // with the libraries that it may need
      const holder = start();
      holder.on('message', (word) => {
        if (word === 'inside') once(start(), 'message').then(() => process.exit(7));
      });
    });
  `;
  const data = JSON.stringify({ addon, rounds: 1, stays: true });
  const { status } = spawnSync(process.execPath, ['-e', code, CODE, data, BUILT_BINDING], { timeout: 5000 });
  assert.equal(status, 7);
});
