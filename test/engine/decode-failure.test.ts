/** When llama.cpp fails, who is told, and what the others and the lease make of it. */
import '../native/planted-addon.js'; // before anything loads the addon
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Context, Model } from '../../src/engine/index.js';
import { AbortError, EngineError, EtaError } from '../../src/errors.js';
import { PLACE } from '../device.js';
import { planted } from '../native/planted-addon.js';
import { failureStorm } from './failure-storm.js';
import { aloneText, EXACT, QUESTIONS, started, tinyModel } from './fixture.js';

const LENGTH = 20;
const ALWAYS = 1e9;

let model: Model;
let context: Context;

before(async () => {
  model = await tinyModel();
});

// A context for each test: one that fails leaves its lease to nobody.
beforeEach(async () => {
  context = await model.createContext(EXACT);
});

afterEach(async () => {
  planted.plantFailure();
  planted.holdDecodes(false);
  await context.dispose();
});

after(async () => {
  await model.dispose();
});

const isDecode = (error: unknown) => error instanceof EngineError && error.code === 'ERR_DECODE';

/** Waits until the addon stands in a decode that is held. */
async function isWaiting(): Promise<void> {
  while (!planted.planted().isWaiting) await new Promise((resolve) => setImmediate(resolve));
}

async function isFree(): Promise<void> {
  const { liveSequenceCount, usedCellCount } = await context.statistics();
  assert.deepEqual({ liveSequenceCount, usedCellCount }, { liveSequenceCount: 0, usedCellCount: 0 });
  await (await context.reserve({ cellCount: 1024, sequenceCount: 16 })).release();
}

test('a failed prefill is told, and the next try reads the same', async () => {
  const parts = [await model.tokenize(QUESTIONS[0] ?? '')];
  const expected = await aloneText(model, parts, LENGTH);
  const lease = await context.reserve({ cellCount: 128, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  for (const failure of [{ code: -3, rows: 'all' }, { throws: true }, { code: -2, rows: 'some', nodes: 9 }] as const) {
    planted.plantFailure({ ...failure, count: ALWAYS });
    await assert.rejects(sequence.prefill(sequence.tokenCount === 0 ? parts : []), isDecode);
    await assert.rejects(sequence.decode({ maxTokens: 2 }), isDecode);
    assert.equal(sequence.tokenCount, parts[0]?.length, 'what was appended stays');
    assert.equal(sequence.position, parts[0]?.length);
  }
  planted.plantFailure();
  assert.equal((await sequence.decode({ maxTokens: LENGTH })).text, expected);
  await lease.release();
  await isFree();
});

test('one failure disturbs nobody; a failure that stays ends one, and the others write what they write alone', async () => {
  const prompts = await Promise.all(QUESTIONS.slice(0, 4).map(async (question) => [await model.tokenize(question)]));
  const expected: string[] = [];
  for (const parts of prompts) expected.push(await aloneText(model, parts, LENGTH));
  // In a step of all, then in one of the first alone.
  for (const count of [1, 2]) {
    const lanes = await Promise.all(prompts.map((parts) => started(context, parts)));
    planted.plantFailure({ code: -3, rows: 'all', decode: 4, count });
    const outcomes = await Promise.allSettled(lanes.map(({ sequence }) => sequence.decode({ maxTokens: LENGTH })));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(planted.planted().failureCount, count);
    assert.ok(failed.length <= count - 1, `${failed.length} of ${count} failures`);
    for (const outcome of failed) assert.ok(isDecode(outcome.reason));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') assert.equal(outcome.value.text, expected[index]);
    }
    planted.plantFailure();
    await Promise.all(lanes.map(({ lease }) => lease.release()));
  }
  await isFree();
});

test('whatever failed, a lease gives everything back', async () => {
  for (const failure of [{ code: -3 }, { throws: true }, { code: 1 }, { code: -2, rows: 'all' }] as const) {
    const { lease, sequence } = await started(context, [await model.tokenize('The red apple')], {
      cellCount: 600,
      sequenceCount: 8,
    });
    const children = await sequence.fork(4);
    planted.plantFailure({ ...failure, count: ALWAYS, decode: 3 });
    const work = children.map((child, seed) => child.decode({ sampler: { temperature: 1, seed }, maxTokens: 30 }));
    const refused = children.map((child) => assert.rejects(child.decode({ maxTokens: 1 }), EtaError));
    for (const outcome of await Promise.allSettled(work)) assert.equal(outcome.status, 'rejected');
    await Promise.all(refused);
    await children[0]?.release();
    await lease.release();
    planted.plantFailure();
    assert.equal(lease.sequenceCount, 0);
    await isFree();
  }
});

test('a recurrent model says that a sequence is lost, and goes on with the others', async () => {
  const modelPath = fileURLToPath(new URL('../golden/native/recurrent.gguf', import.meta.url));
  const recurrent = await Model.load({ modelPath, ...PLACE, threadCount: 1 });
  const own = await recurrent.createContext(EXACT);
  const parts = [await recurrent.tokenize('What colour is the chair?')];
  const [plain, other, lost] = [await started(own, parts), await started(own, parts), await started(own, parts)];
  const { text } = await plain.sequence.decode({ maxTokens: LENGTH });
  planted.plantFailure({ code: -3, rows: 'all' });
  await assert.rejects(lost.sequence.prefill([Int32Array.of(30)]), isDecode);
  planted.plantFailure();
  assert.equal(lost.sequence.tokenCount, 0);
  await assert.rejects(
    lost.sequence.prefill([Int32Array.of(30)]),
    (error) => isDecode(error) && /lost/.test(String(error)),
  );
  assert.equal((await other.sequence.decode({ maxTokens: LENGTH })).text, text);
  await recurrent.dispose();
});

test('a decode whose sampler is refused draws nothing with that of an earlier one', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize(QUESTIONS[0] ?? '')]);
  await sequence.decode({ maxTokens: 3 });
  const { tokenCount } = sequence;
  await assert.rejects(sequence.decode({ sampler: { temperature: 1, topK: 2 ** 40 }, maxTokens: 5 }), {
    code: 'ERR_INVALID_REQUEST',
  });
  assert.equal(sequence.tokenCount, tokenCount);
  await sequence.prefill([]);
  assert.equal((await context.statistics()).usedCellCount, tokenCount);
  await lease.release();
});

test('one signal of several tasks ends those that are left when the first one is done', async () => {
  const lanes = await Promise.all(
    [1, 2].map(async () => started(context, [await model.tokenize('The')], { cellCount: 300, sequenceCount: 1 })),
  );
  const controller = new AbortController();
  const { signal } = controller;
  const [short, long] = lanes.map(({ sequence }, k) =>
    sequence.decode({ sampler: { temperature: 1.5, seed: 5 }, maxTokens: k === 0 ? 2 : 250, signal }),
  );
  planted.plantFailure({ delayMs: 5 });
  await short;
  controller.abort();
  await assert.rejects(long ?? Promise.resolve(), AbortError);
  for (const { lease } of lanes) await lease.release();
});

test('of two reasons to leave, the first one is told', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('The')]);
  const controller = new AbortController();
  planted.holdDecodes(true);
  const work = sequence.decode({ maxTokens: 50, signal: controller.signal });
  const refused = assert.rejects(work, AbortError);
  await isWaiting();
  controller.abort();
  const released = lease.release();
  planted.holdDecodes(false);
  await refused;
  await released;
});

test('a run tells what it has about every 40 ms: of many short steps, of few long ones', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('The red apple')], {
    cellCount: 300,
    sequenceCount: 1,
  });
  /** Pieces that the text of 60 steps comes in. */
  const piecesOf = async (delayMs: number) => {
    planted.plantFailure({ delayMs });
    let pieces = 0;
    await sequence.decode({ sampler: { temperature: 1, seed: 1 }, maxTokens: 60, onText: () => pieces++ });
    return pieces;
  };
  assert.ok((await piecesOf(10)) >= 13);
  planted.plantFailure();
  assert.ok((await piecesOf(1)) <= 9);
  await lease.release();
});

test('calls at once do not outgrow a reservation together', async () => {
  const lease = await context.reserve({ cellCount: 100, sequenceCount: 3 });
  const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map(() => lease.createSequence()));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'ERR_SEQUENCE_LIMIT');
  }
  await lease.release();
  await isFree();
});

test('a short storm', { timeout: 120_000 }, async () => {
  const report = await failureStorm({
    planted,
    form: 'noncausal',
    operations: 600,
    seed: 3,
    failureShare: 0.1,
    disposes: true,
  });
  assert.deepEqual(report.faults, []);
  assert.ok(report.operations >= 600 && report.failureCount > 20, JSON.stringify(report));
});
