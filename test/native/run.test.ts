import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { NativeLogitsContext } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { NativeModel } from '../../src/native/model-types.js';
import type { NativeRunReport } from '../../src/native/run-types.js';
import { resultsOf } from '../../src/native/run-results.js';
import { assertFar, assertNear } from '../device.js';
import {
  contextOptions,
  golden,
  greedy,
  hot,
  loadTiny,
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
  image = await picture(model, 5);
});
// A context for each test: one that fails leaves its sequences to nobody.
beforeEach(async () => {
  context = await model.createContext(contextOptions());
});
afterEach(() => context.dispose());
after(() => model.dispose());

const prompt = () => text(model, 'The red apple is on the left.');
const entry = (sequence: number, maxTokens: number, pauseSet = -1) => ({ sequence, maxTokens, pauseSet });

async function started(sampler = greedy): Promise<number> {
  const sequence = await prefilled(context, [await prompt()]);
  await context.setSampler(sequence, sampler);
  return sequence;
}

/** log softmax of the logits at a token, at a temperature. */
function logProbability(logits: Float32Array, token: number, temperature = 1): number {
  const max = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp((logit - max) / temperature), 0);
  return ((logits[token] ?? Number.NaN) - max) / temperature - Math.log(sum);
}

test('greedy tokens equal those of PyTorch, with their log-probabilities', async () => {
  for (const { tokens, greedyTokens } of golden.text) {
    const sequence = await prefilled(context, [Int32Array.from(tokens)]);
    const first = await context.logits(sequence);
    await context.setSampler(sequence, greedy);
    const result = await runOne(context, sequence, greedyTokens.length);
    assert.deepEqual([...result.tokens], greedyTokens);
    assert.ok(Math.abs((result.logProbabilities[0] ?? 0) - logProbability(first, greedyTokens[0] ?? 0)) < 1e-4);
    await context.release([sequence]);
  }
});

test('a prompt and its answer in one call, in chunks of any size', async () => {
  const expected = golden.text[0];
  assert.ok(expected !== undefined);
  for (const batchSize of [1, 3, 64]) {
    const small = await model.createContext(contextOptions({ batchSize, microBatchSize: 1, sequenceCount: 1 }));
    const sequence = await small.createSequence();
    await small.append(sequence, [Int32Array.from(expected.tokens)]);
    await small.setSampler(sequence, greedy);
    const result = await runOne(small, sequence, 10);
    assert.deepEqual([...result.tokens], expected.greedyTokens.slice(0, 10));
    assert.equal(result.state, 'limit');
    assert.equal(result.pendingCount, 1);
    assert.equal(result.tokenCount, expected.tokens.length + 9);
    await small.dispose();
  }
});

test('same seed, same tokens, whatever runs beside it; another seed, other tokens', async () => {
  const alone = await started(hot(7));
  const expected = (await runOne(context, alone, 12)).tokens;
  const seeds = [1, 7, 2, 7];
  const beside = await Promise.all(seeds.map((seed) => started(hot(seed))));
  const results = await run(context, beside, 12);
  for (const [k, seed] of seeds.entries()) {
    if (seed === 7) assert.deepEqual(results[k]?.tokens, expected);
    else assert.notDeepEqual(results[k]?.tokens, expected);
  }
  await context.release([alone, ...beside]);
});

test('log-probabilities are reported where they are wanted, and change no draw', async () => {
  for (const sampler of [greedy, hot(11)]) {
    const [asked, unasked] = [await started(sampler), await started({ ...sampler, wantsLogProbabilities: false })];
    const with_ = await runOne(context, asked, 8);
    const without = await runOne(context, unasked, 8);
    assert.deepEqual(without.tokens, with_.tokens);
    assert.equal(with_.logProbabilities.length, 8);
    assert.equal(without.logProbabilities.length, 0);
    await context.release([asked, unasked]);
  }
});

test('draws follow the distribution they report', async () => {
  const parent = await prefilled(context, [await prompt()]);
  const logits = await context.logits(parent);
  const counts = new Map<number, number>();
  const draws = 1500;
  for (let seed = 0; seed < draws; seed++) {
    const [fork = -1] = await context.fork(parent, 1);
    await context.setSampler(fork, { ...hot(seed), temperature: 0.7, topK: 0 });
    const { tokens, logProbabilities, state } = await runOne(context, fork, 1);
    const token = state === 'ended' ? 2 : (tokens[0] ?? -1);
    counts.set(token, (counts.get(token) ?? 0) + 1);
    if (state !== 'ended') assert.ok(Math.abs((logProbabilities[0] ?? 0) - logProbability(logits, token, 0.7)) < 1e-3);
    await context.release([fork]);
  }
  for (let token = 0; token < logits.length; token++) {
    const expected = draws * Math.exp(logProbability(logits, token, 0.7));
    const deviation = Math.abs((counts.get(token) ?? 0) - expected) / Math.sqrt(expected + 1);
    assert.ok(deviation < 5, `token ${token}: ${counts.get(token) ?? 0} draws, ${expected.toFixed(1)} expected`);
  }
  await context.release([parent]);
});

test('topK, topP and minP each keep the tokens they say', async () => {
  const parent = await prefilled(context, [await prompt()]);
  const logits = await context.logits(parent);
  const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const probability = (token: number) => Math.exp(logProbability(logits, token));
  const likeliest = probability(order[0] ?? 0);
  let sum = 0;
  const nucleus = order.filter((token) => {
    const isKept = sum < 0.3;
    sum += probability(token);
    return isKept;
  });
  const cases = [
    { sampler: { ...hot(0), topK: 3 }, kept: order.slice(0, 3) },
    { sampler: { ...hot(0), topK: 1 }, kept: order.slice(0, 1) },
    { sampler: { ...hot(0), topK: 0, topP: 0.3 }, kept: nucleus },
    {
      sampler: { ...hot(0), topK: 0, minP: 0.4 },
      kept: order.filter((token) => probability(token) >= 0.4 * likeliest),
    },
  ];
  for (const { sampler, kept } of cases) {
    const seen = new Set<number>();
    for (let seed = 0; seed < 60 * kept.length; seed++) {
      const [fork = -1] = await context.fork(parent, 1);
      await context.setSampler(fork, { ...sampler, seed });
      const result = await runOne(context, fork, 1);
      seen.add(result.state === 'ended' ? 2 : (result.tokens[0] ?? -1));
      await context.release([fork]);
    }
    assert.deepEqual([...seen].sort(), [...kept].sort());
  }
  await context.release([parent]);
});

test('a pause set stops a sequence at its token; the next run goes on as if nothing had been', async () => {
  const sequence = await started();
  const whole = await runOne(context, sequence, 12);
  const pauseAt = whole.tokens[4] ?? -1;
  const first = whole.tokens.indexOf(pauseAt);
  const set = await context.createTokenSet(Int32Array.of(pauseAt));
  const again = await started();
  const paused = await runOne(context, again, 12, set);
  assert.equal(paused.state, 'paused');
  assert.deepEqual(paused.tokens, whole.tokens.slice(0, first + 1));
  const rest = await runOne(context, again, 12 - first - 1);
  assert.deepEqual([...paused.tokens, ...rest.tokens], [...whole.tokens]);
  await context.release([sequence, again]);
});

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

test('the end of generation ends a sequence; its logits stay', async () => {
  // Seeds until one draws </s> first: rare, but the tiny model spreads its probability.
  const parent = await prefilled(context, [await prompt()]);
  for (let seed = 0; ; seed++) {
    assert.ok(seed < 100_000);
    const [fork = -1] = await context.fork(parent, 1);
    await context.setSampler(fork, { ...hot(seed), temperature: 5, topK: 0 });
    const result = await runOne(context, fork, 1);
    const facts = await context.sequence(fork);
    await context.release([fork]);
    if (result.state !== 'ended') continue;
    assert.equal(result.tokens.length, 0);
    assert.deepEqual(facts, { ...facts, pendingCount: 0, hasOutput: true });
    break;
  }
  await context.release([parent]);
});

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

test('a prompt that ends with an image can be answered', async () => {
  const sequence = await prefilled(context, [await prompt(), image]);
  await context.setSampler(sequence, greedy);
  assert.equal((await runOne(context, sequence, 3)).tokens.length, 3);
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
