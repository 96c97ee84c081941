/** What a request leaves in the cache: found again, never in the way, and the same text as without it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context, Model, NativePart, Sequence } from '../../src/engine/index.js';
import { Model as Loaded } from '../../src/engine/index.js';
import { PLACE } from '../device.js';
import { aloneText, EXACT, golden, picture, QUESTIONS, tinyModel } from './fixture.js';

const LENGTH = 16;
const GREEDY = { sampler: { temperature: 0 }, maxTokens: LENGTH };

const countOf = (parts: readonly NativePart[]) =>
  parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);

/** Asks for a greedy answer as a request does: kept once it is read, and kept with its answer. */
async function ask(context: Context, parts: readonly NativePart[], reuse = true) {
  const demand = { cellCount: countOf(parts) + 2 * LENGTH, sequenceCount: 2 };
  const { lease, sequence: root, rest, cachedTokenCount } = await context.begin(parts, demand, { reuse });
  try {
    if (rest.length > 0) await root.prefill(rest);
    if (reuse) void root.keep();
    const [own] = (await root.fork(1)) as [Sequence];
    const { text, tokens } = await own.decode(GREEDY);
    if (reuse) await own.keep();
    return { text, tokens, cachedTokenCount, restCount: countOf(rest) };
  } finally {
    await lease.release();
  }
}

/** What is kept takes exactly the cells that the addon counts, and nothing is left once it is forgotten. */
async function expectExact(context: Context): Promise<void> {
  const now = await context.statistics();
  assert.equal(now.usedCellCount, now.keptCellCount);
  assert.equal(now.liveSequenceCount, now.keptSequenceCount);
  context.forget();
  const { usedCellCount, liveSequenceCount } = await context.statistics();
  assert.deepEqual([usedCellCount, liveSequenceCount], [0, 0]);
}

async function questions(model: Model): Promise<NativePart[][]> {
  const image = await picture(model);
  return await Promise.all(QUESTIONS.map((text) => model.prompt([{ role: 'user', text, images: [image] }])));
}

test('a second question about a picture reads the question alone, and gets the text of a fresh context', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext(EXACT);
  const [first = [], second = []] = await questions(model);
  const image = first.find((part) => 'tokenCount' in part);
  const one = await ask(context, first);
  assert.equal(one.cachedTokenCount, 0);
  assert.equal(one.text, await aloneText(model, first, LENGTH));
  const before = await context.statistics();
  const other = await ask(context, second);
  const after = await context.statistics();
  assert.ok(other.cachedTokenCount >= (image?.tokenCount ?? Number.NaN), `${other.cachedTokenCount}`);
  assert.equal(other.cachedTokenCount + other.restCount, countOf(second));
  assert.equal(other.text, await aloneText(model, second, LENGTH));
  assert.equal(after.imageCount - before.imageCount, 0);
  assert.ok(after.rowCount - before.rowCount <= other.restCount + LENGTH, 'no more rows than what was left');
  await expectExact(context);
});

test('the same question again computes nothing of its prompt, and its logits are the same bits', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext(EXACT);
  const [prompt = []] = await questions(model);
  const demand = { cellCount: countOf(prompt) + LENGTH, sequenceCount: 1 };
  const first = await context.begin(prompt, demand);
  await first.sequence.prefill(first.rest);
  await first.sequence.keep();
  const expected = await first.sequence.logits();
  await first.lease.release();
  const again = await context.begin(prompt, demand);
  assert.deepEqual(again.rest, []);
  assert.equal(again.cachedTokenCount, countOf(prompt));
  assert.deepEqual(await again.sequence.logits(), expected);
  assert.equal((await again.sequence.decode(GREEDY)).text, await aloneText(model, prompt, LENGTH));
  await again.lease.release();
  await expectExact(context);
});

test('the next turn of a chat starts behind the answer', async () => {
  await using model = await tinyModel({ modelPath: golden('tiny-chat.gguf') });
  await using context = await model.createContext(EXACT);
  const image = await picture(model);
  const question = await model.prompt([{ role: 'user', text: 'What is this?', images: [image] }]);
  const { tokens } = await ask(context, question);
  const next = [...question, Int32Array.from(tokens), await model.tokenize(' And why is that so?')];
  const answered = await ask(context, next);
  assert.ok(answered.cachedTokenCount >= countOf(question) + tokens.length - 1, `${answered.cachedTokenCount}`);
  assert.equal(answered.text, await aloneText(model, next, LENGTH));
  await expectExact(context);
});

test('room that a request wants is there at once: cells and lanes', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext({ ...EXACT, contextSize: 512, sequenceCount: 4 });
  const prompts = await questions(model);
  for (const prompt of prompts) await ask(context, prompt);
  const full = await context.statistics();
  assert.ok(full.keptSequenceCount === 2 && full.usedCellCount <= 512, JSON.stringify(full));
  const lease = await context.reserve({ cellCount: 512, sequenceCount: 4 });
  assert.equal(context.waitingCount, 0);
  assert.equal((await context.statistics()).usedCellCount, 0);
  const sequences = await Promise.all([1, 2, 3, 4].map(() => lease.createSequence()));
  await sequences[0]?.prefill([new Int32Array(500).fill(65)]);
  await lease.release();
  await expectExact(context);
});

test('a prompt that fills the context starts from what is kept of it, though that must go', async () => {
  await using model = await tinyModel();
  const [first = [], second = []] = await questions(model);
  const cellCount = countOf(second) + 2 * LENGTH;
  await using context = await model.createContext({ ...EXACT, contextSize: Math.ceil(cellCount / 256) * 256 });
  await ask(context, first);
  const whole = { cellCount: context.facts.cellCount, sequenceCount: context.facts.sequenceCount };
  const { lease, sequence, rest, cachedTokenCount } = await context.begin(second, whole);
  assert.ok(cachedTokenCount > 16);
  await sequence.prefill(rest);
  assert.equal((await sequence.decode(GREEDY)).text, await aloneText(model, second, LENGTH));
  const children = await sequence.fork(whole.sequenceCount - 1);
  assert.equal(children.length, whole.sequenceCount - 1);
  await lease.release();
  await expectExact(context);
});

test('what is not to be reused is neither found nor left behind', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext(EXACT);
  const [prompt = []] = await questions(model);
  await ask(context, prompt, false);
  assert.equal((await context.statistics()).usedCellCount, 0);
  await ask(context, prompt);
  assert.equal((await ask(context, prompt, false)).cachedTokenCount, 0);
  await expectExact(context);
});

test('a prompt that a sequence does not hold whole is not taken for it: pictures, windows, failures', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext(EXACT);
  const [square, wide] = [await picture(model), await picture(model, 'wide.png')];
  const about = async (image: typeof square) =>
    await model.prompt([{ role: 'user', text: 'What is this?', images: [image] }]);
  await ask(context, await about(square));
  const other = await ask(context, await about(wide));
  const rows = countOf((await about(wide)).slice(0, -1));
  assert.ok(other.cachedTokenCount < rows, 'pictures of other pixels are other pictures');
  assert.equal(other.text, await aloneText(model, await about(wide), LENGTH));
  // The same pixels, encoded again, are another picture to the context: EncodedImages gives the same one.
  const squareRows = countOf((await about(square)).slice(0, -1));
  assert.ok((await ask(context, await about(await picture(model)))).cachedTokenCount < squareRows);
  const lease = await context.reserve({ cellCount: 200, sequenceCount: 2 });
  const sequence = await lease.createSequence();
  await sequence.prefill(await about(square));
  const restored = await lease.restore(await sequence.save());
  const kept = (await context.statistics()).keptSequenceCount;
  await restored.keep();
  assert.equal((await context.statistics()).keptSequenceCount, kept, 'nobody knows what was restored');
  await lease.release();
  await expectExact(context);
});

for (const kind of ['mrope', 'noncausal', 'recurrent'] as const) {
  test(`models of other kinds: ${kind}`, async () => {
    const native = (name: string) => golden(`../native/${name}`);
    const projectorPath = kind === 'recurrent' ? undefined : native(`${kind}-projector.gguf`);
    await using model = await Loaded.load({
      modelPath: native(`${kind}.gguf`),
      projectorPath,
      ...PLACE,
      threadCount: 1,
    });
    await using context = await model.createContext({ ...EXACT, contextSize: 2048 });
    const images = kind === 'recurrent' ? [] : [await picture(model)];
    const text = async (words: string) => await model.tokenize(words.repeat(6));
    const first = [...images, await text('What is in here? ')];
    const longer = [...first, await text(' And there? ')];
    const other = [...images, await text('Tell me of it. ')];
    for (const parts of [first, longer, other, first, longer]) {
      const { text: said } = await ask(context, parts);
      assert.equal(said, await aloneText(model, parts, LENGTH));
    }
    const found = await ask(context, longer);
    assert.ok(found.cachedTokenCount >= countOf(longer) - 1, `${kind}: ${found.cachedTokenCount}`);
    await expectExact(context);
  });
}

test('what is kept is what was read, whatever the caller does with his arrays afterwards', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext(EXACT);
  const [prompt = [], other = []] = await questions(model);
  const mine = prompt.map((part) => (part instanceof Int32Array ? part.slice() : part));
  const theirs = other.map((part) => (part instanceof Int32Array ? part.slice() : part));
  const asked = ask(context, mine);
  for (const part of mine) if (part instanceof Int32Array) part.fill(7);
  assert.equal((await asked).text, await aloneText(model, prompt, LENGTH));
  // What stands in the array now was never read.
  const changed = await ask(context, mine);
  assert.ok(changed.cachedTokenCount < 16, `${changed.cachedTokenCount}`);
  assert.ok((await ask(context, theirs)).cachedTokenCount > 16);
  await assert.rejects(context.begin('text' as never, { cellCount: 8, sequenceCount: 1 }), {
    code: 'ERR_INVALID_REQUEST',
  });
  await expectExact(context);
});

test('a reservation holds, whatever was kept of its own sequences: cut, released unawaited, forked half read', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext({ ...EXACT, contextSize: 256, sequenceCount: 4 });
  const tokens = (count: number, first = 40) => Int32Array.from({ length: count }, (_, at) => first + (at % 50));
  const lease = await context.reserve({ cellCount: 240, sequenceCount: 3 });
  const sequence = await lease.createSequence();
  await sequence.prefill([tokens(150)]);
  await sequence.keep();
  await sequence.trim(0);
  await sequence.prefill([tokens(150, 45)]); // what was kept of it gave way
  await sequence.keep();
  const released = sequence.release();
  const next = await lease.createSequence();
  await next.prefill([tokens(230, 50)]);
  await released;
  await next.trim(0);
  await next.append([tokens(100)]);
  const [child] = await next.fork(1);
  await next.prefill([]);
  await child?.prefill([]);
  await next.keep();
  await next.release();
  await child?.prefill([tokens(30, 47)]);
  const three = await Promise.all([lease.createSequence(), lease.createSequence()]);
  assert.equal(three.length, 2);
  await lease.release();
  await expectExact(context);
});

test('keeping is done although the sequence, the lease, or all that is kept goes at once', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext({ ...EXACT, contextSize: 256, sequenceCount: 2 });
  const read = async () => {
    const lease = await context.reserve({ cellCount: 256, sequenceCount: 1 });
    const sequence = await lease.createSequence();
    await sequence.prefill([await model.tokenize(QUESTIONS.join(' '))]);
    return { lease, sequence };
  };
  const one = await read();
  const kept = one.sequence.keep();
  const released = one.lease.release();
  await Promise.all([kept, released]);
  assert.equal((await context.statistics()).keptSequenceCount, 1);
  const two = await read();
  const again = two.sequence.keep();
  context.forget();
  await again;
  assert.equal(
    (await context.statistics()).keptSequenceCount,
    0,
    'what was on its way when all was let go is not kept',
  );
  await two.lease.release();
  await expectExact(context);
});

test('a picture that was read in part is not kept, and nothing of it is lost', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext({ ...EXACT, contextSize: 512, sequenceCount: 3, batchSize: 4 });
  const words = await model.tokenize('A red apple and a green one lie beside each other on the table.');
  for (let at = 0; at < 12; at++) {
    const lease = await context.reserve({ cellCount: 256, sequenceCount: 1 });
    const sequence = await lease.createSequence();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), at);
    await sequence.prefill([words, await picture(model), words], { signal: controller.signal }).catch(() => undefined);
    await sequence.keep();
    await lease.release();
    await expectExact(context);
  }
});

test('a prompt that is none is refused before anything is reserved', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext(EXACT);
  const demand = { cellCount: context.facts.cellCount, sequenceCount: context.facts.sequenceCount };
  for (const prompt of [undefined, 'text', [null], ['a'], [{}], [[1, 2]]]) {
    await assert.rejects(context.begin(prompt as never, demand), { code: 'ERR_INVALID_REQUEST' });
  }
  const empty = await context.begin([], demand);
  assert.deepEqual([empty.rest, empty.cachedTokenCount], [[], 0]);
  await assert.rejects(empty.sequence.append([null] as never), { code: 'ERR_INVALID_REQUEST' });
  await empty.lease.release();
  await (await context.reserve(demand)).release();
});
