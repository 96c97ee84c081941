/** One thread of the process at a time inside a device of onnxruntime's; a thread that ends gives its turn back. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { binding } from './fixture.js';

const addon =
  process.env['ETA_VLM_ADDON'] ?? fileURLToPath(new URL('../../build/Release/eta-vlm.node', import.meta.url));

/** A thread that enters, counts who is inside with it, leaves; again and again, or stays inside. */
const CODE = `
  const { parentPort, workerData: { addon, counts, rounds } } = require('node:worker_threads');
  const { enterDevice, leaveDevice } = require(addon);
  const inside = new Int32Array(counts);
  for (let round = 0; round < rounds; round++) {
    enterDevice();
    enterDevice(); // at once, and one leaving ends it
    const others = Atomics.add(inside, 0, 1);
    if (others > 0) Atomics.add(inside, 1, 1);
    for (const until = performance.now() + 1; performance.now() < until; );
    Atomics.sub(inside, 0, 1);
    if (round < rounds - 1) leaveDevice();
  }
  Atomics.add(inside, 2, 1);
  parentPort.postMessage('inside');
`;

function start(counts: SharedArrayBuffer, rounds: number): Promise<void> {
  const worker = new Worker(CODE, { eval: true, workerData: { addon, counts, rounds } });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
}

test('two threads are never inside at once, and each that ends inside lets the next in', async () => {
  createRequire(import.meta.url)(addon); // on the main thread first
  const counts = new SharedArrayBuffer(12);
  await Promise.all([start(counts, 40), start(counts, 40), start(counts, 40)]);
  const [now, together, ended] = new Int32Array(counts);
  assert.deepEqual({ now, together, ended }, { now: 0, together: 0, ended: 3 });
});

test('a thread waits while another is inside, and leaving without entering does nothing', async () => {
  binding.leaveDevice();
  binding.enterDevice();
  const counts = new SharedArrayBuffer(12);
  const inside = new Int32Array(counts);
  const other = start(counts, 1);
  await setTimeout(200);
  assert.equal(inside[2], 0, 'the other thread waits');
  binding.leaveDevice();
  await other;
  assert.equal(inside[2], 1);
  binding.enterDevice(); // the other has given it back with its end
  binding.leaveDevice();
});
