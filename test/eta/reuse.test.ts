/** What one request leaves for the next: another question about a picture, a turn more, the same again. */
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { Model } from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import type { Eta, EtaResult } from '../../src/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { assertFreed, CLEAN, loadTiny, pictures, QUESTION, UNSAFE } from './tiny.js';

let eta: Eta;
/** The same, which keeps nothing. */
let forgetful: Eta;
before(async () => {
  [eta, forgetful] = await Promise.all([
    loadTiny({ flashAttention: 'off' }),
    loadTiny({ flashAttention: 'off', reuse: false }),
  ]);
});
after(async () => {
  await eta.dispose();
  await forgetful.dispose();
});

const said = ({ text, verdict }: EtaResult) => ({ text, action: verdict.action, picture: verdict.picture?.isUnsafe });

test('a second question about a picture finds it read, and is answered as by one that keeps nothing', async () => {
  await eta.forget();
  const first = await eta.respond({ ...QUESTION, thresholds: CLEAN });
  assert.equal(first.usage.cachedTokenCount, 0);
  const other = { ...QUESTION, prompt: 'Is somebody in it?', thresholds: CLEAN };
  const before = await eta.statistics();
  const second = await eta.respond(other);
  const { imageCount } = await eta.statistics();
  assert.equal(imageCount, before.imageCount, 'the picture is not read again');
  assert.ok(second.usage.cachedTokenCount >= second.usage.imageTokenCount, JSON.stringify(second.usage));
  assert.ok(second.usage.cachedTokenCount < second.usage.promptTokenCount);
  const alone = await forgetful.respond(other);
  assert.deepEqual(said(second), said(alone));
  assert.equal(alone.usage.cachedTokenCount, 0);
  assert.deepEqual(second.usage, { ...alone.usage, cachedTokenCount: second.usage.cachedTokenCount });
  await assertFreed(eta, 'after both');
});

test('pictures are known by their pixels, however they are given', async () => {
  await eta.forget();
  await eta.respond({ ...QUESTION, thresholds: CLEAN });
  const { data, width, height } = await decodeImage(pictures[0]);
  const pixels = { data: new Uint8Array(data), width, height };
  const known = await eta.respond({ ...QUESTION, image: pixels, thresholds: CLEAN });
  assert.equal(known.usage.cachedTokenCount, known.usage.promptTokenCount);
  pixels.data[0] = (pixels.data[0] ?? 0) ^ 255;
  const changed = await eta.respond({ ...QUESTION, image: pixels, thresholds: CLEAN });
  const { cachedTokenCount, promptTokenCount, imageTokenCount } = changed.usage;
  assert.ok(cachedTokenCount <= promptTokenCount - imageTokenCount, 'one pixel makes another picture');
});

test('methods and seeds beside each other share the question', async () => {
  await eta.forget();
  const ask = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' as const };
  const vanilla = await eta.respond({ ...ask, method: 'vanilla' });
  const aligned = await eta.respond(ask);
  const again = await eta.respond(ask);
  const other = await eta.respond({ ...ask, seed: 12 });
  for (const { usage } of [aligned, again, other]) assert.equal(usage.cachedTokenCount, usage.promptTokenCount);
  assert.deepEqual(said(aligned), said(await forgetful.respond(ask)));
  assert.equal(again.text, aligned.text);
  assert.equal(vanilla.text, (await forgetful.respond({ ...ask, method: 'vanilla' })).text);
});

test('a turn more starts behind what was said', async () => {
  await eta.forget();
  const question = { role: 'user' as const, text: 'What is this?', images: [pictures[0]] };
  const first = await eta.respond({ turns: [question], thresholds: CLEAN, seed: 3 });
  const turns = [
    question,
    { role: 'assistant' as const, text: first.text },
    { role: 'user' as const, text: 'And what else?' },
  ];
  const second = await eta.respond({ turns, thresholds: CLEAN, seed: 3 });
  assert.ok(second.usage.cachedTokenCount >= first.usage.promptTokenCount - 4, JSON.stringify(second.usage));
  assert.deepEqual(said(second), said(await forgetful.respond({ turns, thresholds: CLEAN, seed: 3 })));
});

test('a request that asks for nothing to be reused finds nothing, and leaves nothing', async () => {
  await eta.forget();
  await eta.respond({ ...QUESTION, thresholds: CLEAN, reuse: false });
  assert.equal((await eta.statistics()).usedCellCount, 0);
  await eta.respond({ ...QUESTION, thresholds: CLEAN });
  const { usage } = await eta.respond({ ...QUESTION, thresholds: CLEAN, reuse: false });
  assert.equal(usage.cachedTokenCount, 0);
  assert.equal(eta.facts.reuse, true);
  assert.equal(forgetful.facts.reuse, false);
});

test('forgetting, and unloading, leave nothing', async () => {
  await eta.respond({ ...QUESTION, thresholds: CLEAN });
  assert.ok((await eta.statistics()).keptCellCount > 0);
  await eta.forget();
  const { usedCellCount, liveSequenceCount } = await eta.statistics();
  assert.deepEqual([usedCellCount, liveSequenceCount], [0, 0]);
  await eta.respond({ ...QUESTION, thresholds: CLEAN });
  assert.ok(await eta.unload());
  assert.equal((await eta.respond({ ...QUESTION, thresholds: CLEAN })).usage.cachedTokenCount, 0);
});

test('what is forgotten is computed again: the picture, and CLIP of it', async () => {
  const encode = mock.method(Model.prototype, 'encodeImage');
  const run = mock.method(EvaluatorWorker.prototype, 'run');
  const ran = async (reuse: boolean) => {
    const before = [encode.mock.callCount(), run.mock.callCount()] as const;
    await eta.respond({ ...QUESTION, thresholds: CLEAN, reuse });
    return [encode.mock.callCount() - before[0], run.mock.callCount() - before[1]];
  };
  try {
    await eta.forget();
    const [encoded, looked = 0] = await ran(true);
    assert.deepEqual([encoded, looked > 0], [1, true]);
    assert.deepEqual(await ran(true), [0, 0]);
    assert.deepEqual(await ran(false), [1, 1], 'the safety prompt alone is nobody’s');
    await eta.forget();
    assert.deepEqual(await ran(true), [1, looked]);
  } finally {
    encode.mock.restore();
    run.mock.restore();
  }
});

test('requests that ask alike at once, and one that leaves, change nothing', async () => {
  await eta.forget();
  const asked = ['One?', 'Two of it?', 'Three?', 'One?'].map((prompt, seed) => ({
    ...QUESTION,
    prompt,
    seed,
    thresholds: UNSAFE,
    whenStillUnsafe: 'return' as const,
  }));
  const leaving = new AbortController();
  const left = eta.respond({ ...QUESTION, prompt: 'Two of it, or more?', signal: leaving.signal });
  setTimeout(() => leaving.abort(), 15);
  const [answers] = await Promise.all([
    Promise.all(asked.map((request) => eta.respond(request))),
    left.catch((error: Error) => assert.equal(error.name, 'AbortError')),
  ]);
  for (const [index, request] of asked.entries()) {
    assert.deepEqual(said(answers[index] as EtaResult), said(await forgetful.respond(request)), request.prompt);
  }
  await assertFreed(eta, 'after all');
});
