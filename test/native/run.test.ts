/** Runs: when they return, what they refuse, and that nothing is lost where they end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultsOf } from '../../src/native/run-results.js';
import type { NativeRunReport } from '../../src/native/run-types.js';
import { contextOptions, greedy, hot, prefilled, run, runOne } from './fixture.js';
import { context, entry, image, model, prompt, started } from './run-fixture.js';

test('a call returns when the first sequence stands still, with the tokens of all', async () => {
  const sequences = [await started(), await started(hot(3))];
  const report = await context.run({
    entries: [entry(sequences[0] ?? -1, 3), entry(sequences[1] ?? -1, 9)],
    stepBudget: 100,
  });
  assert.deepEqual(
    resultsOf(report).map((result) => result.state),
    ['limit', 'running'],
  );
  assert.deepEqual(
    resultsOf(report).map((result) => result.tokens.length),
    [3, 3],
  );
  const budget = await context.run({ entries: [entry(sequences[1] ?? -1, 6)], stepBudget: 2 });
  assert.equal(budget.stepCount, 2);
  assert.equal(resultsOf(budget)[0]?.state, 'running');
  await context.release(sequences);
});

test('a run ends before a step that would take it over its time, and after one in any case', async () => {
  const sequence = await started();
  const within = await context.run({ entries: [entry(sequence, 50)], stepBudget: 20, budgetMs: 1e6 });
  assert.equal(within.stepCount, 20);
  const startedAt = performance.now();
  const timed = await context.run({ entries: [entry(sequence, 400)], stepBudget: 300, budgetMs: 1 });
  const tookMs = performance.now() - startedAt;
  assert.ok(timed.stepCount >= 1 && timed.stepCount < 300, `${timed.stepCount} steps in ${tookMs} ms`);
  assert.equal(resultsOf(timed)[0]?.state, 'running');
  await context.release([sequence]);
});

test('a run that is listened to goes on behind a spent budget, and tells everything once', async () => {
  const [alone, heard] = [await started(hot(3)), await started(hot(3))];
  const expected = await runOne(context, alone, 50);
  const reports: NativeRunReport[] = [];
  const options = {
    entries: [entry(heard, 50)],
    stepBudget: 8,
    onReport: (report: NativeRunReport) => reports.push(report),
  };
  const last = await context.run(options);
  const results = [...reports, last].flatMap(resultsOf);
  assert.equal(reports.length, 6); // of 49 steps: the first token was there without one
  assert.deepEqual(
    results.map(({ state }) => state),
    [...reports.map(() => 'running'), expected.state],
  );
  assert.deepEqual(
    results.flatMap(({ tokens }) => [...tokens]),
    [...expected.tokens],
  );
  assert.deepEqual(
    results.map(({ tokenCount }) => tokenCount),
    [...results].map(({ tokenCount }) => tokenCount).sort((a, b) => a - b),
  );
  assert.equal(
    [...reports, last].reduce((sum, { stepCount }) => sum + stepCount, 0),
    49,
  );
  await context.release([alone, heard]);
});

test('other work for the thread ends a run that is listened to at the end of its budget', async () => {
  const sequence = await started();
  let first = true;
  let facts: Promise<unknown> | undefined;
  const onReport = () => {
    if (first) facts = context.sequence(sequence);
    first = false;
  };
  const report = await context.run({ entries: [entry(sequence, 400)], stepBudget: 1, onReport });
  assert.equal(resultsOf(report)[0]?.state, 'running');
  assert.ok(facts !== undefined);
  await facts;
  await context.release([sequence]);
});

test('an interrupt ends a run that is listened to; one that is refused hears nothing', async () => {
  const sequence = await started();
  const onReport = () => context.interrupt();
  const report = await context.run({ entries: [entry(sequence, 400)], stepBudget: 1, onReport });
  assert.ok(report.wasInterrupted);
  await assert.rejects(
    context.run({ entries: [entry(4000, 1)], stepBudget: 1, onReport: () => assert.fail('it heard of a step') }),
    { code: 'UNKNOWN_SEQUENCE' },
  );
  const wrong = { entries: [entry(sequence, 1)], stepBudget: 1, onReport: 1 as unknown as () => void };
  await assert.rejects(async () => context.run(wrong), { code: 'INVALID_ARGUMENT' });
  await context.release([sequence]);
});

test('a full cache loses nothing and goes on once there is room', async () => {
  const small = await model.createContext(contextOptions({ cellCount: 256 }));
  assert.equal(small.facts.cellCount, 256);
  const reference = await started();
  const expected = await runOne(context, reference, 30);
  await context.release([reference]);

  const sequence = await prefilled(small, [await prompt()]);
  await small.setSampler(sequence, greedy);
  const filler = await small.createSequence();
  await small.append(filler, [new Int32Array(256 - (await prompt()).length - 10).fill(20)]);
  await run(small, [filler], 0);
  const full = await runOne(small, sequence, 30);
  assert.equal(full.state, 'full');
  assert.equal((await small.statistics()).usedCellCount, 256);
  const prompted = await small.createSequence();
  await small.append(prompted, [await prompt()]);
  const refused = await runOne(small, prompted, 0);
  assert.equal(refused.state, 'full');
  assert.equal(refused.pendingCount, (await prompt()).length);

  await small.release([filler]);
  const rest = await runOne(small, sequence, 30 - full.tokens.length);
  assert.deepEqual([...full.tokens, ...rest.tokens], [...expected.tokens]);
  assert.equal((await runOne(small, prompted, 0)).state, 'ready');
  await small.dispose();
});

test('interrupt ends the run at a step boundary, and nothing is lost', async () => {
  const reference = await started();
  const expected = await runOne(context, reference, 130);
  await context.release([reference]);
  const sequence = await started();
  const running = context.run({ entries: [entry(sequence, 60)], stepBudget: 1000 });
  const other = context.run({ entries: [entry(sequence, 60)], stepBudget: 1000 });
  context.interrupt();
  const reports = [await running, await other];
  assert.equal(reports[1]?.wasInterrupted, true);
  const tokens = reports.flatMap((report) => [...(resultsOf(report)[0]?.tokens ?? [])]);
  const rest = await runOne(context, sequence, 130 - tokens.length);
  assert.deepEqual([...tokens, ...rest.tokens], [...expected.tokens]);
  const later = await context.run({ entries: [entry(sequence, 1)], stepBudget: 1 });
  assert.equal(later.wasInterrupted, false);
  await context.release([sequence]);
});

test('nothing to sample, no sampler, unknown or repeated sequences: refused before any step', async () => {
  const empty = await context.createSequence();
  const bare = await prefilled(context, [await prompt()]);
  const steps = (await context.statistics()).stepCount;
  await context.setSampler(empty, greedy);
  const refuses = (entries: ReturnType<typeof entry>[], code: string) =>
    assert.rejects(context.run({ entries, stepBudget: 1 }), { code });
  await refuses([entry(empty, 1)], 'NOTHING_TO_SAMPLE');
  await refuses([entry(bare, 1)], 'INVALID_ARGUMENT');
  await refuses([entry(bare, 0), entry(bare, 0)], 'INVALID_ARGUMENT');
  await refuses([entry(bare, 0, 77)], 'INVALID_ARGUMENT');
  await refuses([entry(4444, 0)], 'UNKNOWN_SEQUENCE');
  assert.equal((await context.statistics()).stepCount, steps);
  assert.deepEqual(resultsOf(await context.run({ entries: [], stepBudget: 1 })), []);
  assert.equal((await runOne(context, empty, 0)).state, 'ready');
  await context.release([empty, bare]);
});

test('save and restore give the same continuation, also in another context; damaged bytes are refused', async () => {
  const sequence = await prefilled(context, [await prompt(), image, await prompt()]);
  const bytes = new Uint8Array(await context.save(sequence));
  const other = await model.createContext(contextOptions());
  const restored = await other.restore(bytes);
  assert.deepEqual(await other.sequence(restored), await context.sequence(sequence));
  assert.deepEqual(await other.logits(restored), await context.logits(sequence));
  await other.setSampler(restored, greedy);
  await context.setSampler(sequence, greedy);
  assert.deepEqual((await runOne(other, restored, 9)).tokens, (await runOne(context, sequence, 9)).tokens);
  await other.trim(restored, (await prompt()).length + 16);
  await assert.rejects(context.save(sequence), { code: 'INVALID_ARGUMENT', message: /pending/ });

  const live = (await other.statistics()).liveSequenceCount;
  for (const size of [0, 7, 47, 48, 100, bytes.length - 1]) {
    await assert.rejects(other.restore(bytes.slice(0, size)), { code: 'STATE_MISMATCH' });
  }
  for (const at of [0, 9, 20, 26, 40, 100, bytes.length - 1]) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    await assert.rejects(other.restore(changed), { code: 'STATE_MISMATCH' }, `byte ${at}`);
  }
  const half = await model.createContext(contextOptions({ cacheType: 'f16' }));
  await assert.rejects(half.restore(bytes), { code: 'STATE_MISMATCH', message: /cacheType/ });
  const empty = await other.createSequence();
  const nothing = await other.restore(new Uint8Array(await other.save(empty)));
  assert.equal((await other.sequence(nothing)).tokenCount, 0);
  assert.equal((await other.statistics()).liveSequenceCount, live + 2);
  await Promise.all([other.dispose(), half.dispose()]);
  await context.release([sequence]);
});

test('contexts that cannot be are refused', async () => {
  await assert.rejects(model.createContext(contextOptions({ cellCount: 1 << 28 })), {
    code: 'CONTEXT_FAILED',
    message: /memory/,
  });
  await assert.rejects(model.createContext(contextOptions({ cacheType: 'q8_0', flashAttention: 'off' })), {
    code: 'CONTEXT_FAILED',
  });
});
