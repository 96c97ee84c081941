/** What one request leaves for the next: another question about a picture, a turn more, the same again. */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { Model } from '../../src/engine/index.js';
import { KnownPictures } from '../../src/eta/known-pictures.js';
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

/** How often pictures are decoded, encoded for the language model, and looked at by CLIP, while `work` runs. */
async function pictureWork(work: () => Promise<unknown>) {
  const decode = mock.method(sharp.prototype as { toBuffer(): unknown }, 'toBuffer');
  const encode = mock.method(Model.prototype, 'encodeImage');
  const run = mock.method(EvaluatorWorker.prototype, 'run');
  try {
    await work();
    const looked = run.mock.calls.filter(({ arguments: [{ feeds }] }) =>
      Object.values(feeds).some(({ type }) => type === 'image'),
    );
    return [decode.mock.callCount(), encode.mock.callCount(), looked.length];
  } finally {
    decode.mock.restore();
    encode.mock.restore();
    run.mock.restore();
  }
}

test('a file that was read before is not decoded again, by whatever name or form it comes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eta-vlm-known-'));
  try {
    const ask = (image: string | URL | Uint8Array, reuse = true) =>
      pictureWork(() => eta.respond({ ...QUESTION, image, thresholds: CLEAN, reuse }));
    const copy = join(folder, 'copy.png');
    await copyFile(pictures[0], copy);
    const bytes = await readFile(pictures[0]);
    await eta.forget();
    assert.deepEqual(await ask(pictures[0]), [1, 1, 1]);
    const same = [pictures[0], copy, pathToFileURL(copy), bytes, `data:image/png;base64,${bytes.toString('base64')}`];
    for (const source of same) assert.deepEqual(await ask(source), [0, 0, 0]);
    assert.deepEqual(await ask(copy, false), [1, 1, 1], 'reuse: false looks at everything');
    const { timings } = await eta.respond({ ...QUESTION, image: copy, thresholds: CLEAN });
    assert.ok(timings.imageDecodeMs > 0, 'reading it takes its time all the same');
    const stat = await sharp(copy).metadata();
    await writeFile(copy, await sharp(copy).png({ compressionLevel: 1 }).toBuffer());
    assert.equal((await sharp(copy).metadata()).width, stat.width);
    assert.deepEqual(await ask(copy), [1, 0, 0], 'other bytes under the same name are looked at; they show the same');
    await copyFile(pictures[1], copy);
    assert.deepEqual(await ask(copy), [1, 1, 1], 'another picture under the same name');
    await eta.forget();
    assert.deepEqual(await ask(pictures[0]), [1, 1, 1]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('requests about one picture that begin at once decode, encode and look once', async () => {
  await eta.forget();
  const ask = (prompt: string) => eta.respond({ ...QUESTION, prompt, thresholds: CLEAN });
  const all = () => Promise.all(['One?', 'Two?', 'Three?'].map(ask));
  assert.deepEqual(await pictureWork(all), [1, 1, 1]);
  const apart = () => Promise.all([1, 2, 3].map(() => eta.respond({ ...QUESTION, thresholds: CLEAN, reuse: false })));
  assert.deepEqual(await pictureWork(apart), [3, 3, 3], 'reuse: false has its own of each');
});

test('the first of two about one picture may leave, or both: whoever comes is answered', async () => {
  const expected = (await forgetful.respond({ ...QUESTION, thresholds: CLEAN })).text;
  for (const afterMs of [0, 1, 2, 4, 8]) {
    await eta.forget();
    const leaving = new AbortController();
    const left = eta.respond({ ...QUESTION, thresholds: CLEAN, signal: leaving.signal });
    const stays = eta.respond({ ...QUESTION, thresholds: CLEAN });
    setTimeout(() => leaving.abort(), afterMs);
    await left.catch((error: Error) => assert.equal(error.name, 'AbortError'));
    assert.equal((await stays).text, expected);
  }
  await assertFreed(eta, 'after all');
});

test('a file that is known is decoded for whoever wants its pixels, and one that is damaged is told by its own name', async () => {
  const known = new KnownPictures();
  const { signal } = new AbortController();
  const first = await known.of(pictures[2], signal);
  const second = await known.of(pictures[2], signal);
  assert.equal(await second.key(), await first.key());
  const decodings = await pictureWork(async () => {
    assert.deepEqual((await second.pixels()).data, (await first.pixels()).data);
    assert.equal(await second.pixels(), await second.pixels());
  });
  assert.equal(decodings[0], 1);
  const folder = await mkdtemp(join(tmpdir(), 'eta-vlm-known-'));
  try {
    const paths = ['one.png', 'two.png'].map((name) => join(folder, name));
    const whole = await readFile(pictures[2]);
    const cut = whole.subarray(0, whole.length / 2);
    for (const path of paths) await writeFile(path, cut);
    const failures = await Promise.allSettled(paths.map((path) => known.of(path, signal)));
    for (const [at, failure] of failures.entries()) {
      assert.equal(failure.status, 'rejected');
      assert.match(failure.reason.message, new RegExp(['one', 'two'][at] ?? ''));
    }
  } finally {
    await rm(folder, { recursive: true });
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
