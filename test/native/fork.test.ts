import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { NativeLogitsContext } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { resultsOf } from '../../src/native/run-results.js';
import { assertFar, assertNear } from '../device.js';
import {
  contextOptions,
  greedy,
  hot,
  loadTiny,
  logitsAfter,
  maxDifference,
  picture,
  prefilled,
  run,
  runOne,
  text,
} from './fixture.js';

let model: NativeModel;
let context: NativeLogitsContext;
let image: NativeImage;

before(async () => {
  model = await loadTiny();
  image = await picture(model, 7);
});
// A context for each test: one that fails leaves its sequences to nobody.
beforeEach(async () => {
  context = await model.createContext(contextOptions());
});
afterEach(() => context.dispose());
after(() => model.dispose());

const question = () => text(model, 'What colour is the chair?');
const one = async (sequence: number, count: number) => [...(await context.fork(sequence, count))];

test('a fork is bit-identical to a fresh decode of the same tokens', async () => {
  const next = [17, 290, 33];
  for (const parts of [[await question()], [await text(model, 'USER: '), image, await question()]]) {
    const forked = await model.createContext(contextOptions());
    const [child = -1] = await forked.fork(await prefilled(forked, parts), 1);
    const fresh = await model.createContext(contextOptions());
    const straight = await prefilled(fresh, parts);
    const expected = await logitsAfter(fresh, straight, next);
    assertNear(maxDifference(await logitsAfter(forked, child, next), expected), 0, 'same');
    // Beside other sequences the same sums run over other cells: equal but for rounding.
    const other = await prefilled(fresh, parts);
    assertNear(maxDifference(await logitsAfter(fresh, other, next), expected), 1e-5, 'cells');
    await Promise.all([forked.dispose(), fresh.dispose()]);
  }
});

test('a fork carries the logits: its first token needs no decode', async () => {
  const parent = await prefilled(context, [await question()]);
  const expected = await context.logits(parent);
  const [child = -1] = await one(parent, 1);
  assert.deepEqual(await context.logits(child), expected);
  await context.setSampler(child, greedy);
  const report = await context.run({ entries: [{ sequence: child, maxTokens: 1, pauseSet: -1 }], stepBudget: 1 });
  assert.equal(report.stepCount, 0);
  assert.equal(resultsOf(report)[0]?.tokens[0], expected.indexOf(Math.max(...expected)));
  await context.release([parent, child]);
});

test('five different sequences in one batch equal each alone within 1e-4', async () => {
  const parent = await prefilled(context, [await question()]);
  const endings = [[20], [31], [42], [53], [364]];
  const together = await one(parent, 5);
  await Promise.all(together.map((id, k) => context.append(id, [Int32Array.from(endings[k] ?? [])])));
  const report = await context.run({
    entries: together.map((sequence) => ({ sequence, maxTokens: 0, pauseSet: -1 })),
    stepBudget: 9,
  });
  assert.equal(report.stepCount, 1);
  assert.equal(report.rowCount, 5);
  for (const [k, sequence] of together.entries()) {
    const [alone = -1] = await one(parent, 1);
    const expected = await logitsAfter(context, alone, endings[k] ?? []);
    assertNear(maxDifference(await context.logits(sequence), expected), 1e-4, 'rows');
    // The check can fail: another ending is far away.
    const other = await context.logits(together[(k + 1) % 5] ?? -1);
    assertFar(maxDifference(other, expected), 1e-2, 'rows');
    await context.release([alone]);
  }
  await context.release([parent, ...together]);
});

test('forks live on after their parent, and after each other', async () => {
  const parent = await prefilled(context, [image, await question()]);
  const twin = await prefilled(context, [image, await question()]);
  const [first = -1, second = -1] = await one(parent, 2);
  await context.release([parent]);
  await context.setSampler(first, greedy);
  await runOne(context, first, 5);
  await context.release([first]);
  await context.setSampler(second, greedy);
  await context.setSampler(twin, greedy);
  const expected = await runOne(context, twin, 12);
  assert.deepEqual((await runOne(context, second, 12)).tokens, expected.tokens);
  await context.release([second, twin]);
  assert.equal((await context.statistics()).usedCellCount, 0);
});

test('re-forking a winner five rounds deep equals a straight run over the same tokens', async () => {
  const prompt = [await text(model, 'USER: '), image, await question()];
  let winner = await prefilled(context, prompt);
  const chosen: number[] = [];
  for (let round = 0; round < 5; round++) {
    const candidates = await one(winner, 4);
    await Promise.all(candidates.map((id, k) => context.setSampler(id, hot(100 * round + k))));
    const results = await run(context, candidates, 6);
    const best = results.findIndex((result) => result.state === 'limit');
    const pick = results[(best + round) % 4];
    assert.ok(pick !== undefined);
    chosen.push(...pick.tokens);
    await context.release([winner, ...candidates.filter((id) => id !== pick.sequence)]);
    winner = pick.sequence;
  }
  const forked = await logitsAfter(context, winner, [17]);
  const straight = await prefilled(context, [...prompt, Int32Array.from(chosen)]);
  assertNear(maxDifference(await logitsAfter(context, straight, [17]), forked), 1e-4, 'rows');
  const facts = [await context.sequence(winner), await context.sequence(straight)];
  assert.deepEqual(facts[0], facts[1]);
  await context.release([winner, straight]);
});

test('undiverged sequences share their rows until they part', async () => {
  const parent = await prefilled(context, [await question()]);
  const forks = await one(parent, 4);
  const prefix = await text(model, ' As an AI assistant, ');
  await Promise.all(forks.map((id) => context.append(id, [prefix])));
  const entries = forks.map((sequence) => ({ sequence, maxTokens: 0, pauseSet: -1 }));
  const shared = await context.run({ entries, stepBudget: 9 });
  assert.equal(shared.stepCount, 1);
  assert.equal(shared.rowCount, prefix.length);
  assert.equal(shared.sharedRowCount, prefix.length * 3);
  const fresh = await prefilled(context, [await question()]);
  const expected = await logitsAfter(context, fresh, prefix);
  for (const id of forks) assertNear(maxDifference(await context.logits(id), expected), 1e-5, 'cells');

  // Two of them go on alike, the others differ from the second token on.
  const tails = [
    [50, 60],
    [50, 60],
    [50, 61],
    [51, 60],
  ];
  await Promise.all(forks.map((id, k) => context.append(id, [Int32Array.from(tails[k] ?? [])])));
  await run(context, forks, 0);
  const logits = await Promise.all(forks.map((id) => context.logits(id)));
  for (const [k, tail] of tails.entries()) {
    const alone = await prefilled(context, [await question(), prefix, Int32Array.from(tail)]);
    assertNear(maxDifference(await context.logits(alone), logits[k] ?? []), 1e-4, 'cells', `tail ${k}`);
    await context.release([alone]);
  }
  assert.deepEqual(logits[0], logits[1]);
  await context.release([parent, fresh, ...forks]);
  assert.equal((await context.statistics()).usedCellCount, 0);
});

test('pending input and images are carried to forks', async () => {
  const parent = await context.createSequence();
  await context.append(parent, [await text(model, 'USER: '), image, await question()]);
  const [child = -1] = await one(parent, 1);
  const pending = (await context.sequence(parent)).pendingCount;
  assert.equal((await context.sequence(child)).pendingCount, pending);
  const report = await context.run({
    entries: [parent, child].map((sequence) => ({ sequence, maxTokens: 0, pauseSet: -1 })),
    stepBudget: 9,
  });
  assert.equal(report.rowCount, pending);
  assert.deepEqual(await context.logits(child), await context.logits(parent));
  await context.release([parent, child]);
});

test('trim takes back tokens, frees their cells and never cuts an image', async () => {
  const start = await text(model, 'USER: ');
  const sequence = await prefilled(context, [start, image, await question()]);
  const expected = await context.logits(sequence);
  const total = (await context.sequence(sequence)).tokenCount;
  assert.equal(total, start.length + 16 + (await question()).length);
  await assert.rejects(context.trim(sequence, start.length + 5), { code: 'INVALID_ARGUMENT', message: /image/ });
  await assert.rejects(context.trim(sequence, total + 1), { code: 'INVALID_ARGUMENT' });
  await context.trim(sequence, start.length + 16);
  assert.equal((await context.sequence(sequence)).position, start.length + 16);
  await assert.rejects(context.logits(sequence), { code: 'NOTHING_TO_SAMPLE' });
  assertNear(maxDifference(await logitsAfter(context, sequence, await question()), expected), 1e-5, 'cells');
  const [child = -1] = await one(sequence, 1);
  await context.trim(sequence, 0);
  assert.equal((await context.statistics()).usedCellCount, total);
  assertNear(maxDifference(await context.logits(child), expected), 1e-5, 'cells');
  await context.release([sequence, child]);
});

test('trim counts pending input, keeps what is among it, and never cuts a pending image', async () => {
  const start = await text(model, 'USER: ');
  const sequence = await prefilled(context, [start]);
  const after = await question();
  await context.append(sequence, [Int32Array.of(5, 6, 7), image, after]);
  const total = start.length + 3 + 16 + after.length;
  const facts = async () => {
    const { tokenCount, pendingCount } = await context.sequence(sequence);
    return [tokenCount, pendingCount];
  };
  assert.deepEqual(await facts(), [start.length, total - start.length]);
  await assert.rejects(context.trim(sequence, total + 1), {
    code: 'INVALID_ARGUMENT',
    message: new RegExp(`from 0 to ${total} but received ${total + 1}`),
  });
  for (const inside of [start.length + 4, start.length + 3 + 15])
    await assert.rejects(context.trim(sequence, inside), {
      code: 'INVALID_ARGUMENT',
      message: new RegExp(`${inside} lies inside the one from ${start.length + 3} to ${start.length + 19}`),
    });
  await context.trim(sequence, total);
  assert.deepEqual(await facts(), [start.length, total - start.length], 'nothing was taken by what was refused');
  await context.trim(sequence, start.length + 19);
  assert.deepEqual(await facts(), [start.length, 19]);
  await context.trim(sequence, start.length + 2);
  assert.deepEqual(await facts(), [start.length, 2]);
  const expected = await prefilled(context, [start, Int32Array.of(5, 6)]);
  await run(context, [sequence], 0);
  assertNear(maxDifference(await context.logits(sequence), await context.logits(expected)), 1e-4, 'cells');
  await context.append(sequence, [Int32Array.of(9)]);
  await context.trim(sequence, start.length + 2);
  assert.deepEqual(await facts(), [start.length + 2, 0], 'exactly the cells: all that is pending goes');
  await context.release([sequence, expected]);
});

test('all forks or none, and ids are never used twice', async () => {
  const parent = await prefilled(context, [await question()]);
  await assert.rejects(context.fork(parent, 8), { code: 'SEQUENCE_LIMIT', message: /8 forks.*7 of 8/ });
  assert.equal((await context.statistics()).liveSequenceCount, 1);
  const forks = await one(parent, 7);
  await assert.rejects(context.createSequence(), { code: 'SEQUENCE_LIMIT' });
  await context.release(forks);
  await assert.rejects(context.release([parent, forks[0] ?? -1]), { code: 'UNKNOWN_SEQUENCE', message: /released/ });
  assert.equal((await context.statistics()).liveSequenceCount, 1);
  const [again = -1] = await one(parent, 1);
  assert.ok(!forks.includes(again));
  await assert.rejects(context.fork(9999, 1), { code: 'UNKNOWN_SEQUENCE', message: /never created/ });
  await context.release([parent, again, again]);
});
