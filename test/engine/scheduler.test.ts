/** Many requests on one context: room, order, aborts, disposal, and the event loop meanwhile. */
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, type Lease, Model } from '../../src/engine/index.js';
import { AbortError, EngineError, EtaError } from '../../src/errors.js';
import type { NativePart } from '../../src/native/context-types.js';
import { onDevice } from '../device.js';
import { aloneText, EXACT, picture, QUESTIONS, started, tinyModel } from './fixture.js';
import { hollowModel } from './hollow-model.js';

const GREEDY = { temperature: 0 };
const LENGTH = 24;

/** Gaps of milliseconds are measured where the device is no processor's program. */
const BUSY = onDevice && 'the driver of test:vulkan computes on the cores that the event loop needs';

let model: Model;

before(async () => {
  model = await tinyModel();
});

after(async () => {
  await model.dispose();
});

async function prompts(): Promise<NativePart[][]> {
  const images = await Promise.all(['square.png', 'wide.png', 'tall.png'].map((name) => picture(model, name)));
  const all = QUESTIONS.map((text, index) => {
    const image = images[index % images.length];
    return model.prompt([{ role: 'user', text, images: index % 2 === 0 && image !== undefined ? [image] : [] }]);
  });
  return await Promise.all(all);
}

function cellCount(parts: readonly NativePart[]): number {
  return parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);
}

async function answer(context: Context, parts: readonly NativePart[], signal?: AbortSignal): Promise<string> {
  await using lease = await context.reserve({ cellCount: cellCount(parts) + LENGTH, sequenceCount: 2 }, signal);
  const sequence = await lease.createSequence();
  await sequence.prefill(parts, { signal });
  const [child] = await sequence.fork(1);
  return (await child?.decode({ sampler: GREEDY, maxTokens: LENGTH, signal }))?.text ?? '';
}

function isDisposed(error: unknown): boolean {
  return error instanceof EtaError && error.code === 'ERR_DISPOSED';
}

test('eight requests at once say what each says alone', async () => {
  const given = await prompts();
  const expected: string[] = [];
  for (const parts of given) expected.push(await aloneText(model, parts, LENGTH));
  await using context = await model.createContext(EXACT);
  const texts = await Promise.all(given.map((parts) => answer(context, parts)));
  assert.deepEqual(texts, expected);
  const { liveSequenceCount, usedCellCount, stepCount } = await context.statistics();
  assert.deepEqual({ liveSequenceCount, usedCellCount }, { liveSequenceCount: 0, usedCellCount: 0 });
  assert.ok(stepCount < (given.length * LENGTH) / 2, `${stepCount} steps: they rode together`);
});

test('in a small context they queue, and all finish with the right text', async () => {
  const given = await prompts();
  const expected: string[] = [];
  for (const parts of given) expected.push(await aloneText(model, parts, LENGTH));
  const largest = Math.max(...given.map(cellCount)) + LENGTH;
  await using context = await model.createContext({ ...EXACT, contextSize: Math.max(256, largest), sequenceCount: 4 });
  const everything = given.map((parts) => answer(context, parts));
  await sleep(0);
  assert.ok(context.waitingCount > 0, 'somebody waits');
  assert.deepEqual(await Promise.all(everything), expected);
  assert.equal(context.waitingCount, 0);
  assert.equal((await context.statistics()).liveSequenceCount, 0);
});

test('what can never fit is refused at once', async () => {
  await using context = await model.createContext({ ...EXACT, contextSize: 256, sequenceCount: 4 });
  await assert.rejects(
    context.reserve({ cellCount: 257, sequenceCount: 1 }),
    (error) =>
      error instanceof EngineError && error.code === 'ERR_CACHE_FULL' && /at most 256 tokens/.test(error.message),
  );
  await assert.rejects(
    context.reserve({ cellCount: 1, sequenceCount: 5 }),
    (error) => error instanceof EngineError && error.code === 'ERR_CACHE_FULL',
  );
});

test('a request that outgrows the cache fails alone; the others go on', async () => {
  await using context = await model.createContext({ ...EXACT, contextSize: 256, sequenceCount: 4 });
  const prompt = [await model.tokenize('The red apple is on the left.')];
  const expected = await aloneText(model, prompt, 60);
  const honest = await started(context, prompt, { cellCount: 100, sequenceCount: 1 });
  const greedy = await started(context, prompt, { cellCount: 20, sequenceCount: 1 });
  const held = honest.sequence.decode({ sampler: GREEDY, maxTokens: 60 });
  await assert.rejects(
    greedy.sequence.decode({ sampler: { temperature: 1, seed: 3 }, maxTokens: 400 }),
    (error) => error instanceof EngineError && error.code === 'ERR_CACHE_FULL' && /contextSize/.test(error.message),
  );
  await greedy.lease.release();
  assert.equal((await held).text, expected);
  await honest.lease.release();
});

test('abort in the queue, in a prefill and in a decode frees everything and disturbs nobody', async () => {
  const given = await prompts();
  const parts = given[0] as NativePart[];
  const expected = await aloneText(model, parts, LENGTH);
  await using context = await model.createContext({ ...EXACT, contextSize: 512, batchSize: 16, microBatchSize: 16 });
  const steady = answer(context, parts);

  const full = await context.reserve({ cellCount: 300, sequenceCount: 1 });
  const waiting = new AbortController();
  const queued = answer(context, [await model.tokenize('word '.repeat(80))], waiting.signal);
  setImmediate(() => waiting.abort(new Error('enough')));
  await assert.rejects(queued, (error) => error instanceof AbortError && (error.cause as Error).message === 'enough');
  await full.release();

  const reading = new AbortController();
  const { lease, sequence } = await started(context, [await model.tokenize('The')], {
    cellCount: 400,
    sequenceCount: 2,
  });
  const long = await model.tokenize('word '.repeat(70));
  const prefill = sequence.prefill([long], { signal: reading.signal });
  setImmediate(() => reading.abort());
  await assert.rejects(prefill, AbortError);
  assert.ok(sequence.tokenCount > long.length, 'what is pending stays');
  await sequence.prefill([]);

  const writing = new AbortController();
  let heard = '';
  const decode = sequence.decode({
    sampler: { temperature: 1, seed: 5 },
    maxTokens: 200,
    signal: writing.signal,
    onText: (text) => {
      heard += text;
      if (heard.length > 10) writing.abort();
    },
  });
  await assert.rejects(decode, AbortError);
  const length = heard.length;
  assert.ok(sequence.tokenCount < long.length + 100, 'it stopped near the signal');
  const after = await sequence.decode({ sampler: GREEDY, maxTokens: 3 });
  assert.equal(after.tokens.length, 3, 'it stays usable');
  assert.equal(heard.length, length, 'nothing is heard after the signal');
  await assert.rejects(sequence.decode({ maxTokens: 1, signal: writing.signal }), AbortError);
  await lease.release();

  assert.equal(await steady, expected);
  assert.equal((await context.statistics()).liveSequenceCount, 0);
});

test('release in the middle of work ends it and frees the lease', async () => {
  await using context = await model.createContext(EXACT);
  const { lease, sequence } = await started(context, [await model.tokenize('The red apple')], {
    cellCount: 600,
    sequenceCount: 6,
  });
  const children = await sequence.fork(4);
  const decodes = children.map((child, seed) => child.decode({ sampler: { temperature: 1.5, seed }, maxTokens: 100 }));
  const forks = sequence.fork(1);
  await sleep(1);
  const released = lease.release();
  for (const outcome of await Promise.allSettled([...decodes, forks])) {
    assert.ok(outcome.status === 'fulfilled' || isDisposed(outcome.reason), String(outcome));
  }
  await released;
  const { liveSequenceCount, usedCellCount } = await context.statistics();
  assert.deepEqual({ liveSequenceCount, usedCellCount }, { liveSequenceCount: 0, usedCellCount: 0 });
  await (await context.reserve({ cellCount: 1024, sequenceCount: 16 })).release();
});

const phases: Record<string, (context: Context, lease: Lease) => Promise<unknown>> = {
  'the queue': async (context) => await context.reserve({ cellCount: 1024, sequenceCount: 1 }),
  'a prefill': async (_, lease) =>
    await (await lease.createSequence()).prefill([await model.tokenize('word '.repeat(90))]),
  'a decode': async (_, lease) => {
    const sequence = await lease.createSequence();
    await sequence.prefill([await model.tokenize('The red apple')]);
    await sequence.decode({ sampler: { temperature: 1.5, seed: 1 }, maxTokens: 400 });
  },
  'a fork': async (_, lease) => {
    const sequence = await lease.createSequence();
    await sequence.prefill([await model.tokenize('The red apple')]);
    for (;;) await Promise.all((await sequence.fork(3)).map((child) => child.release()));
  },
};

for (const [name, work] of Object.entries(phases)) {
  test(`dispose during ${name}`, async () => {
    const context = await model.createContext({ ...EXACT, batchSize: 16, microBatchSize: 16 });
    const lease = await context.reserve({ cellCount: 800, sequenceCount: 8 });
    const outcome = work(context, lease).then(
      () => 'finished',
      (error: unknown) => error,
    );
    await sleep(3);
    await context.dispose();
    assert.ok(isDisposed(await outcome), `${name}: ${await outcome}`);
    await lease.release();
    await context.dispose();
    await assert.rejects(context.reserve({ cellCount: 1, sequenceCount: 1 }), isDisposed);
    await assert.rejects(context.statistics(), isDisposed);
  });
}

test('dispose of a model takes its contexts along', async () => {
  const other = await tinyModel();
  const context = await other.createContext(EXACT);
  const { sequence } = await started(context, [await other.tokenize('The red apple')], {
    cellCount: 600,
    sequenceCount: 1,
  });
  const decode = sequence.decode({ sampler: { temperature: 1.5, seed: 1 }, maxTokens: 400 });
  const refused = assert.rejects(decode, isDisposed);
  await sleep(2);
  await other.dispose();
  await refused;
  await assert.rejects(other.tokenize('a'), isDisposed);
  await assert.rejects(other.createContext(EXACT), isDisposed);
});

test('two contexts and two models at once', async () => {
  const second = await tinyModel();
  const given = await prompts();
  const parts = given[1] as NativePart[];
  const expected = await aloneText(model, parts, LENGTH);
  const contexts = await Promise.all([
    model.createContext(EXACT),
    model.createContext(EXACT),
    second.createContext(EXACT),
  ]);
  const texts = await Promise.all(contexts.flatMap((context) => [answer(context, parts), answer(context, parts)]));
  assert.deepEqual(texts, Array(6).fill(expected));
  await Promise.all(contexts.map((context) => context.dispose()));
  await second.dispose();
});

/** The least of a few longest gaps, in ms: a busy machine stops any process now and then, an engine that blocks always. */
async function longestGap(work: () => Promise<void>): Promise<number> {
  const gaps: number[] = [];
  while (gaps.length < 5 && !gaps.some((gap) => gap < 50)) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await work();
    delay.disable();
    gaps.push(delay.max / 1e6);
  }
  return Math.min(...gaps);
}

test('the event loop turns while candidates are read, decoded and forked', { skip: BUSY }, async () => {
  await using context = await model.createContext(EXACT);
  await using lease = await context.reserve({ cellCount: 900, sequenceCount: 6 });
  let turns = 0;
  const gap = await longestGap(async () => {
    const counter = setInterval(() => turns++, 1);
    for (let round = 0; round < 12; round++) {
      const parent = await lease.createSequence();
      await parent.prefill([await model.tokenize('The red apple is on the left. '.repeat(4))]);
      const children = await parent.fork(5);
      await Promise.all(
        children.map((child, k) => child.decode({ sampler: { temperature: 1.5, seed: round * 5 + k }, maxTokens: 60 })),
      );
      await Promise.all([parent, ...children].map((sequence) => sequence.release()));
    }
    clearInterval(counter);
  });
  assert.ok(gap < 50, `longest gap ${gap.toFixed(1)} ms`);
  assert.ok(turns > 20, `${turns} turns: the work was long enough to tell`);
});

test('the event loop turns while 152,000 tokens are read', { skip: BUSY }, async () => {
  const modelPath = hollowModel({ vocabulary: 'qwen2' });
  const gap = await longestGap(async () => {
    const loaded = await Model.load({ modelPath, gpuLayerCount: 0, threadCount: 1 });
    assert.ok(loaded.facts.vocabularySize > 150_000);
    await loaded.dispose();
  });
  assert.ok(gap < 50, `longest gap ${gap.toFixed(1)} ms`);
});
