/** Whatever the number of threads, the answer is the same; and how many there are can be seen. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { physicalCoreCount } from '../../src/cores.js';
import { Model } from '../../src/engine/index.js';
import { loadAddon } from '../../src/native/binding.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { contextOptions, loadTiny, logitsAfter, modelPath, prefilled } from './fixture.js';

let model: NativeModel;

before(async () => {
  model = await loadTiny();
});

after(async () => {
  await model.dispose();
});

/** Not with node-llama-cpp's own code for the processor, which lacks our corrections: nothing is measured there. */
const { threadsKeepBits } = loadAddon();
const otherBits = threadsKeepBits ? false : "node-llama-cpp's own code for the processor";

/** More cells than one chunk of the attention of a single row, and not a whole number of chunks. */
const PREFIX = Int32Array.from({ length: 700 }, (_, index) => 10 + ((index * 7919) % 200));

/** The logits behind the prefix, and behind each of so many tokens that follow one by one. */
async function logitsOf(threads: { threadCount: number; measuresThreads?: boolean }, steps: number) {
  const context = await model.createContext(
    contextOptions({ cellCount: 1024, flashAttention: 'on', cacheType: 'f16', ...threads }),
  );
  try {
    const sequence = await prefilled(context, [PREFIX]);
    const logits = [await context.logits(sequence)];
    const counts = new Set<number>();
    for (let step = 0; step < steps; step++) {
      logits.push(await logitsAfter(context, sequence, [10 + step]));
      counts.add((await context.statistics()).threadCount);
    }
    return { logits, counts: [...counts] };
  } finally {
    await context.dispose();
  }
}

test('one thread, two, three and five compute the same bits', { skip: otherBits }, async () => {
  const [first, ...others] = await Promise.all([1, 2, 3, 5].map((threadCount) => logitsOf({ threadCount }, 12)));
  assert.ok(first !== undefined);
  for (const other of others) assert.deepEqual(other.logits, first.logits);
});

test('a number that is measured while it runs computes the same bits', async () => {
  const fixed = await logitsOf({ threadCount: 1 }, 60);
  const measured = await logitsOf({ threadCount: 4, measuresThreads: true }, 60);
  if (threadsKeepBits) assert.deepEqual(measured.logits, fixed.logits);
  assert.ok(measured.counts.length > 1, `never another number than ${measured.counts}`);
  assert.ok(measured.counts.every((count) => count >= 1 && count <= 4));
});

test('a number that was asked for is kept to', async () => {
  assert.deepEqual((await logitsOf({ threadCount: 1 }, 20)).counts, [1]);
  assert.deepEqual((await logitsOf({ threadCount: 3 }, 20)).counts, [3]);
});

test("an engine's model measures only where every number computes the same bits", async () => {
  await using engine = await Model.load({ modelPath, device: 'CPU' });
  await using named = await Model.load({ modelPath, device: 'CPU', threadCount: 2 });
  assert.deepEqual([engine.measuresThreads, named.measuresThreads], [threadsKeepBits, false]);
  await using context = await engine.createContext();
  await using lease = await context.reserve({ cellCount: 256, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  for (let step = 0; step < 40; step++) {
    await sequence.prefill([Int32Array.of(10 + step)]);
    const { threadCount } = await context.statistics();
    if (!threadsKeepBits) assert.equal(threadCount, physicalCoreCount());
  }
});
/** A process that keeps a core busy. It ends by itself where nobody is left to end it. */
const spin = (): ChildProcess =>
  spawn(process.execPath, ['-e', 'for (const end = Date.now() + 60_000; Date.now() < end; );']);

test('more threads than cores, beside busy processes, come to an end and to the same bits', async () => {
  const calm = await logitsOf({ threadCount: 1 }, 30);
  const busy = Array.from({ length: 3 }, spin);
  try {
    const { logits } = await logitsOf({ threadCount: 6 }, 30);
    if (threadsKeepBits) assert.deepEqual(logits, calm.logits);
  } finally {
    for (const child of busy) child.kill('SIGKILL');
  }
});
