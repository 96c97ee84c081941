/** A thread that waits for a device, which another one holds, sees that the process is ending. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BUSY, STOPPING } from '../../src/onnx/worker-messages.js';
import { binding } from '../native/fixture.js';

const CODE = `
  const { workerData: { presence, state } } = require('node:worker_threads');
  import(presence).then(({ Presence }) => {
    process.exitCode = new Presence(state).enter('webgpu') ? 1 : 5;
  });
`;

/** A thread that enters a device, and what it shares with this one. */
function start() {
  const shared = new SharedArrayBuffer(8);
  const presence = new URL('../../dist/onnx/presence.js', import.meta.url).href;
  const worker = new Worker(CODE, { eval: true, workerData: { presence, state: shared } });
  return { worker, state: new Int32Array(shared) };
}

test('waiting for a device ends with the process', { timeout: 5000 }, async () => {
  assert.ok(binding.enterDevice(0));
  try {
    const { worker, state } = start();
    const ended = new Promise((resolve) => worker.on('exit', resolve));
    while (Atomics.load(state, BUSY) === 0) await setTimeout(5);
    Atomics.store(state, STOPPING, 1);
    assert.equal(await ended, 5);
    assert.equal(Atomics.load(state, BUSY), 0);
  } finally {
    binding.leaveDevice();
  }
});

test('a thread that waits for a device can be ended', { timeout: 5000 }, async () => {
  assert.ok(binding.enterDevice(0));
  try {
    const { worker, state } = start();
    while (Atomics.load(state, BUSY) === 0) await setTimeout(5);
    await worker.terminate();
  } finally {
    binding.leaveDevice();
  }
});
