import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NativeModel } from '../../src/native/model-types.js';
import { assertFar, assertNear } from '../device.js';
import {
  contextOptions,
  greedy,
  hot,
  loadTiny,
  logitsAfter,
  maxDifference,
  prefilled,
  run,
  runOne,
  text,
  tokenize,
} from './fixture.js';

const folder = fileURLToPath(new URL('../golden/native/', import.meta.url));

interface PictureCase {
  width: number;
  height: number;
  before: string;
  after: string;
  tokenCount: number;
  firstImageRow: number;
  imageRowCount: number;
  firstLogits: number[];
  greedyTokens: number[];
}
const golden: Record<'mrope' | 'noncausal', PictureCase[]> = JSON.parse(readFileSync(`${folder}golden.json`, 'utf8'));

const load = (kind: string) =>
  loadTiny({ modelPath: `${folder}${kind}.gguf`, projectorPath: `${folder}${kind}-projector.gguf` });

/** The pixels of make.py. */
function picture(model: NativeModel, width: number, height: number) {
  const data = new Uint8Array(width * height * 3).map((_, index) => (index * 7 + Math.floor(index / 97) * 13) % 256);
  return model.encodeImage({ data, width, height }).image;
}

async function parts(model: NativeModel, { before, after, width, height }: PictureCase) {
  return [await text(model, before), await picture(model, width, height), await tokenize(model, after)] as const;
}

for (const kind of ['mrope', 'noncausal'] as const) {
  test(`${kind}: pictures, forks and batches give the greedy tokens of libmtmd's own helpers`, async () => {
    const model = await load(kind);
    assert.equal(model.facts.usesMrope, kind === 'mrope');
    assert.equal(model.facts.usesNonCausalImages, kind === 'noncausal');
    const context = await model.createContext(contextOptions());
    for (const picture_ of golden[kind]) {
      const prompt = await parts(model, picture_);
      const sequence = await prefilled(context, prompt);
      assert.equal((await context.sequence(sequence)).tokenCount, picture_.tokenCount);
      // The encoders differ by rounding: libmtmd's flash attention is on here, off in the oracle.
      assertNear(maxDifference(await context.logits(sequence), picture_.firstLogits), 5e-3, 'reference');
      const forks = [...(await context.fork(sequence, 3))];
      await context.release([sequence]);
      await Promise.all(forks.map((id, k) => context.setSampler(id, k === 1 ? hot(5) : greedy)));
      const results = await run(context, forks, picture_.greedyTokens.length);
      assert.deepEqual([...(results[0]?.tokens ?? [])], picture_.greedyTokens);
      assert.deepEqual([...(results[2]?.tokens ?? [])], picture_.greedyTokens);
      await context.release(forks);
    }
    await model.dispose();
  });

  test(`${kind}: trimmed behind the picture, saved and restored, a sequence goes on as before`, async () => {
    const model = await load(kind);
    const context = await model.createContext(contextOptions());
    const [picture_] = golden[kind];
    assert.ok(picture_ !== undefined);
    const [before, image, after] = await parts(model, picture_);
    const sequence = await prefilled(context, [before, image, after]);
    const expected = await context.logits(sequence);
    const facts = await context.sequence(sequence);
    assert.equal(facts.tokenCount, before.length + image.tokenCount + after.length);
    assert.equal(facts.position, before.length + image.positionCount + after.length);
    if (kind === 'mrope') assert.ok(image.positionCount < image.tokenCount);

    await assert.rejects(context.trim(sequence, picture_.firstImageRow + 1), {
      code: 'INVALID_ARGUMENT',
      message: /image/,
    });
    await context.trim(sequence, before.length + image.tokenCount);
    assertNear(maxDifference(await logitsAfter(context, sequence, after), expected), 1e-5, 'cells');

    const restored = await context.restore(new Uint8Array(await context.save(sequence)));
    assert.deepEqual(await context.sequence(restored), facts);
    const next = await logitsAfter(context, sequence, [30, 40]);
    assertNear(maxDifference(await logitsAfter(context, restored, [30, 40]), next), 1e-4, 'cells');

    await context.trim(sequence, before.length);
    const rest = await logitsAfter(context, sequence, after);
    const without = await prefilled(context, [before, after]);
    assertNear(maxDifference(await context.logits(without), rest), 1e-4, 'cells');
    assertFar(maxDifference(rest, expected), 1e-2, 'cells');
    await model.dispose();
  });
}

test('mrope: a cut at either end of a picture keeps the positions right, and forgets what it cut away', async () => {
  const model = await load('mrope');
  const context = await model.createContext(contextOptions());
  const [picture_] = golden.mrope;
  assert.ok(picture_ !== undefined);
  const [before, image, after] = await parts(model, picture_);
  const sequence = await prefilled(context, [before, image, after]);
  const start = picture_.firstImageRow;
  const end = start + picture_.imageRowCount; // the model's own markers stand around it
  const position = end - (image.tokenCount - image.positionCount);
  const facts = async () => {
    const { tokenCount, position } = await context.sequence(sequence);
    return { tokenCount, position };
  };

  const saved = new Uint8Array(await context.save(sequence));
  const again = await context.restore(saved);
  await context.trim(sequence, end);
  assert.deepEqual(await facts(), { tokenCount: end, position });
  // What is appended stands right behind it: as in a sequence that was cut one token later, and took that token again.
  const [next = -1] = await context.fork(again, 1);
  await context.trim(next, end + 1);
  await context.trim(next, end);
  const expected = await logitsAfter(context, next, [30, 40]);
  assertNear(maxDifference(await logitsAfter(context, sequence, [30, 40]), expected), 1e-5, 'cells');
  assert.deepEqual(await facts(), { tokenCount: end + 2, position: position + 2 });
  assert.deepEqual(await context.sequence(sequence), await context.sequence(next));
  await context.trim(sequence, end);
  await assert.rejects(context.trim(sequence, end - 1), { code: 'INVALID_ARGUMENT', message: /image/ });
  await context.release([again, next]);

  // The picture is cut away: what stands there then is text, to be cut anywhere, and counts one position a cell.
  await context.trim(sequence, start);
  assert.deepEqual(await facts(), { tokenCount: start, position: start });
  const text = Int32Array.from({ length: picture_.imageRowCount + 4 }, (_, at) => 20 + at);
  await logitsAfter(context, sequence, text);
  assert.deepEqual(await facts(), { tokenCount: start + text.length, position: start + text.length });
  for (const cut of [end + 2, end, end - 1, start + 1]) {
    await context.trim(sequence, cut);
    assert.deepEqual(await facts(), { tokenCount: cut, position: cut });
    const restored = await context.restore(new Uint8Array(await context.save(sequence)));
    await context.release([restored]);
  }
  await model.dispose();
});

test('mrope: a picture that takes several batches stands where it stands in one', async () => {
  const model = await load('mrope');
  const small = { batchSize: 8, microBatchSize: 8, sequenceCount: 2 };
  const [context, whole] = [
    await model.createContext(contextOptions(small)),
    await model.createContext(contextOptions()),
  ];
  for (const picture_ of golden.mrope) {
    const prompt = await parts(model, picture_);
    assert.ok(picture_.imageRowCount > context.facts.batchSize, `${picture_.imageRowCount} rows fit into one batch`);
    const [sequence, other] = [await prefilled(context, prompt), await prefilled(whole, prompt)];
    const logits = await context.logits(sequence);
    assertNear(maxDifference(logits, await whole.logits(other)), 1e-4, 'cells');
    assertNear(maxDifference(logits, picture_.firstLogits), 5e-3, 'reference');
    await Promise.all([context.release([sequence]), whole.release([other])]);
  }
  await model.dispose();
});

test('a non-causal picture raises the micro batch to its rows', async () => {
  const model = await load('noncausal');
  const context = await model.createContext(contextOptions({ batchSize: 4, microBatchSize: 2 }));
  const [picture_] = golden.noncausal;
  assert.ok(picture_ !== undefined);
  assert.ok(context.facts.microBatchSize >= picture_.imageRowCount);
  const sequence = await prefilled(context, await parts(model, picture_));
  await context.setSampler(sequence, greedy);
  const { tokens } = await runOne(context, sequence, picture_.greedyTokens.length);
  assert.deepEqual([...tokens], picture_.greedyTokens);
  await model.dispose();
});

test('windowed attention: a trim finds every cell again, though others filled the cache meanwhile', async () => {
  const model = await load('noncausal');
  assert.equal(model.facts.slidingWindow, 48);
  const context = await model.createContext(contextOptions({ cellCount: 256 }));
  const tokens = (first: number, count: number) =>
    Int32Array.from({ length: count }, (_, at) => 20 + ((first + 7 * at) % 300));
  const subject = await prefilled(context, [tokens(0, 150)]);
  const filler = await prefilled(context, [tokens(5, 90)]);
  await context.release([filler]);
  // llama.cpp begins again at the front of the cache, where cells stand that have left the subject's window.
  await prefilled(context, [tokens(9, 40)]);
  await context.trim(subject, 60);
  const came = await logitsAfter(context, subject, [30, 40]);
  const fresh = await model.createContext(contextOptions({ cellCount: 256 }));
  const expected = await logitsAfter(fresh, await prefilled(fresh, [tokens(0, 60)]), [30, 40]);
  assertNear(maxDifference(came, expected), 1e-4, 'cells');
  await assert.rejects(model.createContext(contextOptions({ sequenceCount: 129 })), {
    code: 'INVALID_ARGUMENT',
    message: /at most 128 .*windowed/,
  });
  await model.dispose();
});

test('windowed attention: saved bytes hold the last window, so a restored sequence is not cut before their end', async () => {
  const model = await load('noncausal');
  const context = await model.createContext(contextOptions());
  const tokens = (count: number) => Int32Array.from({ length: count }, (_, at) => 20 + ((7 * at) % 300));
  const restore = async (count: number) => {
    const sequence = await prefilled(context, [tokens(count)]);
    const restored = await context.restore(new Uint8Array(await context.save(sequence)));
    await context.release([sequence]);
    return restored;
  };
  const isRefused = { code: 'FORK_UNSUPPORTED', message: /at least 100, or 0, .*restored/ };
  const restored = await restore(100);
  const [fork = -1] = await context.fork(restored, 1);
  for (const id of [restored, fork]) await assert.rejects(context.trim(id, 99), isRefused);
  await logitsAfter(context, restored, tokens(30));
  await context.trim(restored, 100);
  const straight = await prefilled(context, [tokens(100)]);
  const expected = await logitsAfter(context, straight, [30, 40]);
  assertNear(maxDifference(await logitsAfter(context, restored, [30, 40]), expected), 1e-4, 'cells');
  await context.trim(restored, 0);
  assertNear(maxDifference(await logitsAfter(context, restored, [...tokens(100), 30, 40]), expected), 1e-4, 'cells');
  await context.trim(restored, 5);

  // All of a short one is in its window.
  const short = await restore(48);
  await context.trim(short, 20);
  const other = await prefilled(context, [tokens(20)]);
  const exact = await logitsAfter(context, other, [30, 40]);
  assertNear(maxDifference(await logitsAfter(context, short, [30, 40]), exact), 1e-4, 'cells');
  await model.dispose();
});

test('a recurrent model forks at its end, and refuses to be cut', async () => {
  const model = await loadTiny({ modelPath: `${folder}recurrent.gguf`, projectorPath: undefined });
  assert.equal(model.facts.isRecurrent, true);
  const context = await model.createContext(contextOptions());
  assert.equal(context.facts.forksAnywhere, false);
  const prompt = await text(model, 'What colour is the chair?');
  const parent = await prefilled(context, [prompt]);
  const expected = await context.logits(parent);
  const forks = [...(await context.fork(parent, 3))];
  await assert.rejects(context.trim(parent, 3), { code: 'FORK_UNSUPPORTED', message: /only be trimmed to 0/ });
  assert.deepEqual(await context.logits(parent), expected);

  await Promise.all([parent, ...forks].map((id, k) => context.setSampler(id, hot(k % 3))));
  const together = await run(context, [parent, ...forks], 10);
  assert.deepEqual(together[0]?.tokens, together[3]?.tokens);
  assert.notDeepEqual(together[0]?.tokens, together[1]?.tokens);
  const alone = await model.createContext(contextOptions());
  for (const [seed, result] of together.slice(0, 3).entries()) {
    const sequence = await prefilled(alone, [prompt]);
    await alone.setSampler(sequence, hot(seed));
    assert.deepEqual((await runOne(alone, sequence, 10)).tokens, result.tokens);
    await alone.release([sequence]);
  }

  await context.trim(parent, 0);
  assertNear(maxDifference(await logitsAfter(context, parent, prompt), expected), 1e-5, 'cells');
  await model.dispose();
});
