/** Prompts that others read just now: who begins alike waits for them, is spared the work, and pays for nobody's end. */
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { ComingPrefix, ComingPrefixes } from '../../src/engine/coming-prefixes.js';
import { chained } from '../../src/engine/content-chain.js';
import { type Context, Lease, type Model, type NativePart } from '../../src/engine/index.js';
import { AbortError } from '../../src/errors.js';
import { EXACT, picture, QUESTIONS, tinyModel } from './fixture.js';

const GREEDY = { sampler: { temperature: 0 }, maxTokens: 12 };
/** Steps of 32 rows, so that a prompt takes several. */
const STEPS = { ...EXACT, batchSize: 32, microBatchSize: 32 };

let model: Model;
/** Begin with a picture and some hundred words, and end each with words of its own. */
let prompts: NativePart[][];
let sharedCount: number;

before(async () => {
  model = await tinyModel();
  const begin = await model.tokenize(QUESTIONS.join(' '));
  const image = await picture(model);
  const shared: NativePart[] = [begin, image, begin];
  sharedCount = countOf(shared);
  prompts = [];
  for (const text of ['One?', 'And two of them?', 'Why?'])
    prompts.push([...shared, await model.tokenize(text, { isContinued: true })]);
  assert.ok(sharedCount > 100, `${sharedCount}`);
});
after(() => model.dispose());

const countOf = (parts: readonly NativePart[]) =>
  parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);

const begin = (context: Context, parts: readonly NativePart[], signal?: AbortSignal, reuse = true) =>
  context.begin(parts, { cellCount: countOf(parts) + 16, sequenceCount: 1 }, { signal, reuse });

/** As a request does, but nothing of it is kept. */
async function ask(context: Context, parts: readonly NativePart[], signal?: AbortSignal, reuse = true) {
  const { lease, sequence, rest, cachedTokenCount } = await begin(context, parts, signal, reuse);
  try {
    if (rest.length > 0) await sequence.prefill(rest, { signal });
    const { text } = await sequence.decode({ ...GREEDY, signal });
    return { text, cachedTokenCount };
  } finally {
    await lease.release();
  }
}

async function expectAlone(parts: readonly NativePart[], text: string): Promise<void> {
  await using context = await model.createContext(STEPS);
  assert.equal(text, (await ask(context, parts, undefined, false)).text);
}

async function expectFreed(context: Context): Promise<void> {
  const { usedCellCount, liveSequenceCount } = await context.statistics();
  assert.deepEqual([usedCellCount, liveSequenceCount], [0, 0]);
}

test('of three that begin at once the first reads what all begin with, and the others wait for that alone', async () => {
  await using context = await model.createContext(STEPS);
  const [one = [], two = [], three = []] = prompts;
  const asked = [one, two, three, one];
  const all = await Promise.all(asked.map((parts) => ask(context, parts)));
  assert.deepEqual(
    all.map(({ cachedTokenCount }) => cachedTokenCount),
    [0, sharedCount, sharedCount, countOf(one)],
  );
  for (const [at, { text }] of all.entries()) await expectAlone(asked[at] ?? [], text);
  const { rowCount, imageCount } = await context.statistics();
  const own = asked.reduce((sum, parts) => sum + countOf(parts) - sharedCount, 0);
  assert.ok(rowCount <= sharedCount + own + 4 * GREEDY.maxTokens, `${rowCount} rows`);
  assert.equal(imageCount, 1);
  await expectFreed(context);
});

test('who comes while a prompt is being read starts as soon as the common part is there, not at its end', async () => {
  await using context = await model.createContext(STEPS);
  const [[words = new Int32Array(0)] = []] = prompts;
  const common = [words, await model.tokenize('Common', { isContinued: true })];
  const tail = Array.from({ length: Math.floor(800 / countOf([words])) }, () => words); // more than a run takes
  let [readCount, settledAt] = [0, 0];
  const { read } = ComingPrefix.prototype;
  const { startFrom } = Lease.prototype;
  mock.method(ComingPrefix.prototype, 'read', function (this: ComingPrefix, tokenCount: number) {
    readCount = tokenCount;
    read.call(this, tokenCount);
  });
  mock.method(Lease.prototype, 'startFrom', function (this: Lease, ...found: Parameters<typeof startFrom>) {
    settledAt = readCount;
    return startFrom.apply(this, found);
  });
  try {
    const first = await begin(context, [...common, ...tail]);
    const reading = first.sequence.prefill(first.rest);
    const two = [...common, await model.tokenize('Other', { isContinued: true })];
    const second = await begin(context, two);
    assert.equal(second.cachedTokenCount, countOf(common));
    assert.ok(settledAt >= countOf(common) && settledAt < countOf([...common, ...tail]), `${settledAt}`);
    await second.sequence.prefill(second.rest);
    const { text } = await second.sequence.decode(GREEDY);
    await reading;
    mock.restoreAll();
    await expectAlone(two, text);
    await Promise.all([first.lease.release(), second.lease.release()]);
    await expectFreed(context);
  } finally {
    mock.restoreAll();
  }
});

test('a first that leaves, whenever, costs the second nothing: it goes on from what was read', async () => {
  const [one = [], two = []] = prompts;
  const cached = new Set<number>();
  for (const step of [0, 1, 2, 3, 4, 5, 6]) {
    await using context = await model.createContext(STEPS);
    const leaving = new AbortController();
    const tell = ComingPrefix.prototype.read;
    let stepCount = -1; // it is told once that nothing is read yet
    const told = mock.method(ComingPrefix.prototype, 'read', function (this: ComingPrefix, tokenCount: number) {
      if (++stepCount === step) leaving.abort();
      tell.call(this, tokenCount);
    });
    const left = ask(context, one, leaving.signal);
    const stays = ask(context, two);
    const third = ask(context, two);
    await left.catch((error: Error) => assert.ok(error instanceof AbortError, error.stack));
    told.mock.restore();
    const [{ text, cachedTokenCount }, other] = await Promise.all([stays, third]);
    cached.add(cachedTokenCount);
    await expectAlone(two, text);
    assert.equal(other.text, text);
    await expectFreed(context);
  }
  assert.ok(cached.has(0) && Math.max(...cached) > 32, `${[...cached]}`);
});

test('one that waits may leave: whom it waits for, and who waits for it, go on', async () => {
  await using context = await model.createContext(STEPS);
  const [one = [], two = []] = prompts;
  const leaving = new AbortController();
  const first = ask(context, one);
  const second = ask(context, two, leaving.signal);
  const third = ask(context, two);
  await new Promise((resolve) => setImmediate(resolve));
  leaving.abort();
  await assert.rejects(second, AbortError);
  await expectAlone(one, (await first).text);
  await expectAlone(two, (await third).text);
  await expectFreed(context);
});

test('nobody waits for one that does not read, reads something else, or lends nothing', async () => {
  await using context = await model.createContext(STEPS);
  const [one = [], two = []] = prompts;
  const idle = await begin(context, one);
  assert.equal((await ask(context, two)).cachedTokenCount, 0);
  const other = await begin(context, one);
  const reading = other.sequence.prefill([new Int32Array(200).fill(5)]);
  const beside = await ask(context, two);
  assert.equal(beside.cachedTokenCount, 0);
  await expectAlone(two, beside.text);
  await reading;
  await Promise.all([idle.lease.release(), other.lease.release()]);
  const apart = await Promise.all([
    ask(context, one, undefined, false),
    ask(context, one),
    ask(context, one, undefined, false),
  ]);
  assert.deepEqual(
    apart.map(({ cachedTokenCount }) => cachedTokenCount),
    [0, 0, 0],
  );
  await expectFreed(context);
});

test('who waits in a context that is disposed of hears of it', async () => {
  const context = await model.createContext(STEPS);
  const [one = [], two = []] = prompts;
  const all = Promise.allSettled([one, two, two].map((parts) => ask(context, parts)));
  await new Promise((resolve) => setImmediate(resolve));
  await context.dispose();
  for (const outcome of await all) {
    assert.equal(outcome.status, 'rejected');
    assert.equal(outcome.reason.code, 'ERR_DISPOSED');
  }
});

test('a reader that reads on past its prompt leaves the last token to who waits for all of it', async () => {
  await using context = await model.createContext(STEPS);
  const [one = []] = prompts;
  const behind = await model.tokenize(' and a word more', { isContinued: true });
  const size = countOf(one) + behind.length + 16;
  const reading = await context.begin(one, { cellCount: size, sequenceCount: 1 }, { reuse: true });
  const read = reading.sequence.prefill([...reading.rest, behind]);
  const waited = await ask(context, one);
  await read;
  await reading.lease.release();
  assert.equal(waited.cachedTokenCount, countOf(one) - 1);
  await expectAlone(one, waited.text);
  await expectFreed(context);
});

test('one whose sequence was released while its last step runs is found once, or who comes would ask it forever', async () => {
  const coming = new ComingPrefixes(true);
  const read = Int32Array.from({ length: 64 }, (_, at) => at);
  const left = coming.add([read]);
  left.expect({ id: 1, chain: chained(null, read), isReleased: true });
  left.begin();
  left.read(40);
  const own = coming.add([read, Int32Array.of(7)]);
  const found = coming.find(own, 0);
  assert.equal(found?.coming, left);
  const started = left.wait({ flat: own.flat, tokenCount: 32 }, async () => 'started', undefined);
  assert.equal(await started, null);
  assert.equal(coming.find(own, 0), null);
});
