/** Pictures in runs: they take turns with texts, also in parts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultsOf } from '../../src/native/run-results.js';
import { assertFar, assertNear } from '../device.js';
import { contextOptions, greedy, maxDifference, picture, prefilled, run, runOne } from './fixture.js';
import { context, entry, image, model, prompt, started } from './run-fixture.js';

test('an image takes turns with generating sequences', async () => {
  const generating = await started();
  const waiting = await context.createSequence();
  await context.append(waiting, [await prompt(), image, await prompt()]);
  const report = await context.run({ entries: [entry(generating, 50), entry(waiting, 0)], stepBudget: 100 });
  assert.equal(resultsOf(report)[1]?.state, 'ready');
  assert.equal(report.stepCount, 3);
  assert.equal(resultsOf(report)[1]?.tokenCount, 2 * (await prompt()).length + 16);
  await context.release([generating, waiting]);
});

test('they take turns also where a run is one step', async () => {
  const [writing, waiting] = [await prefilled(context, [await prompt()]), await context.createSequence()];
  await context.setSampler(writing, greedy);
  await context.append(waiting, [image, image, image]);
  const entries = [
    { sequence: writing, maxTokens: 100, pauseSet: -1 },
    { sequence: waiting, maxTokens: 0, pauseSet: -1 },
  ];
  const steps: string[] = [];
  while (steps.length < 5) {
    const before = (await context.statistics()).imageCount;
    await context.run({ entries, stepBudget: 1 });
    steps.push((await context.statistics()).imageCount > before ? 'image' : 'text');
  }
  assert.match(steps.join(' '), /^(text )?image text image text/);
  await context.release([writing, waiting]);
});

/** Of `image`, in the tiny model. */
const IMAGE_ROWS = 16;

test('an image of several steps gives texts a turn between any two of them, and changes no number', async () => {
  const small = await model.createContext(contextOptions({ batchSize: 4, microBatchSize: 4, sequenceCount: 4 }));
  const writing = await prefilled(small, [await prompt()]);
  const [alone = -1] = await small.fork(writing, 1);
  for (const sequence of [writing, alone]) await small.setSampler(sequence, greedy);
  const expected = await runOne(small, alone, 8);
  await small.release([alone]);
  const waiting = await small.createSequence();
  await small.append(waiting, [image, Int32Array.of(40)]);
  const counts: number[] = [];
  const tokens: number[] = [];
  while ((await small.sequence(waiting)).pendingCount > 1) {
    const report = await small.run({ entries: [entry(writing, 100), entry(waiting, 0)], stepBudget: 2 });
    assert.equal(report.stepCount, 2);
    assert.ok((resultsOf(report)[0]?.tokens.length ?? 0) >= 1, 'a token between any two steps of it');
    tokens.push(...(resultsOf(report)[0]?.tokens ?? []));
    counts.push(Math.min(IMAGE_ROWS, resultsOf(report)[1]?.tokenCount ?? -1));
  }
  assert.deepEqual(counts, [4, 8, 12, IMAGE_ROWS]);
  assert.equal((await small.statistics()).imageCount, 1);
  assert.deepEqual(tokens, [...expected.tokens].slice(0, tokens.length));
  await run(small, [waiting], 0);
  const fresh = await prefilled(small, [image, Int32Array.of(40)]);
  // Texts lie between its parts: on a device what does not lie in one piece is copied in 16 bits.
  assertNear(maxDifference(await small.logits(waiting), await small.logits(fresh)), 1e-5, 'rows');
  const without = await prefilled(small, [Int32Array.of(40)]);
  assertFar(maxDifference(await small.logits(waiting), await small.logits(without)), 1e-2, 'rows');
  await small.dispose();
});

test('a sequence with half an image is forked, goes on, is cut before it, and gives its cells back', async () => {
  const small = await model.createContext(contextOptions({ batchSize: 4, microBatchSize: 4, sequenceCount: 4 }));
  const begun = await prefilled(small, [Int32Array.of(30, 31)]);
  await small.append(begun, [image, Int32Array.of(40)]);
  for (let step = 0; step < 2; step++) await small.run({ entries: [entry(begun, 0)], stepBudget: 1 });
  const half = { tokenCount: 2 + 8, position: 2, pendingCount: 8 + 1, hasOutput: false };
  assert.deepEqual(await small.sequence(begun), half);
  const [child = -1, other = -1] = await small.fork(begun, 2);
  assert.deepEqual(await small.sequence(child), half);
  for (const count of [3, 9, 10]) {
    await assert.rejects(small.trim(other, count), {
      code: 'INVALID_ARGUMENT',
      message: /inside the one from 2 to 18/,
    });
  }
  await assert.rejects(small.save(other), { code: 'INVALID_ARGUMENT', message: /pending/ });
  const report = await small.run({ entries: [entry(begun, 0), entry(child, 0)], stepBudget: 1 });
  assert.deepEqual([report.rowCount, report.sharedRowCount], [4, 4], 'they share the rest');
  await run(small, [begun, child], 0);
  assert.deepEqual(await small.logits(child), await small.logits(begun));
  await small.trim(other, 2);
  assert.deepEqual(await small.sequence(other), { tokenCount: 2, position: 2, pendingCount: 0, hasOutput: false });
  await small.append(other, [image, Int32Array.of(40)]);
  await run(small, [other], 0);
  assertNear(maxDifference(await small.logits(other), await small.logits(begun)), 1e-5, 'cells');
  await small.trim(other, 2 + IMAGE_ROWS);
  assert.equal((await small.sequence(other)).position, 2 + IMAGE_ROWS);
  await small.release([begun, child, other]);
  assert.equal((await small.statistics()).usedCellCount, 0);
  await small.dispose();
});

test('a prompt that ends with an image can be answered', async () => {
  const sequence = await prefilled(context, [await prompt(), image]);
  await context.setSampler(sequence, greedy);
  assert.equal((await runOne(context, sequence, 3)).tokens.length, 3);
  await context.release([sequence]);
});

test('of several pictures that wait, the first one has its turn first', async () => {
  const sequences = [await context.createSequence(), await context.createSequence(), await context.createSequence()];
  for (const [shade, sequence] of sequences.entries())
    await context.append(sequence, [await picture(model, shade + 2)]);
  const entries = sequences.map((sequence) => ({ sequence, maxTokens: 0, pauseSet: -1 }));
  const read = async () => {
    const facts = await Promise.all(sequences.map((sequence) => context.sequence(sequence)));
    return facts.map(({ tokenCount }) => tokenCount > 0);
  };
  await context.run({ entries, stepBudget: 1 });
  assert.deepEqual(await read(), [true, false, false]);
  await context.run({ entries: entries.slice(1), stepBudget: 1 });
  assert.deepEqual(await read(), [true, true, false]);
});
