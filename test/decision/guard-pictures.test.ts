/** A guard's pictures from one request to the next: encoded once, and read once, by whoever asks about them. */
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import type { Guard } from '../../src/decision/index.js';
import { Model } from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import type { RgbImage } from '../../src/types/picture.js';
import { goldenFile } from '../compatibility/golden.js';
import { asked, decided, tinyForm, tinyGuard } from './guards.js';

const GGUF = goldenFile('qwen3-vl', 'model.gguf');
const PROJECTOR = goldenFile('qwen3-vl', 'mmproj.gguf');
const form = tinyForm({
  answer: asked({ prompt: { form: 'question', system: null, user: '{question}: {answer}', seesPictures: true } }),
});
const question = (content: string) => [{ role: 'user' as const, content }];

let guard: Guard;
let shown: RgbImage;
before(async () => {
  guard = await tinyGuard(GGUF, form, { projector: PROJECTOR });
  shown = await decodeImage(goldenFile('qwen3-vl', 'exact.png'));
});
after(() => guard.dispose());

/** Both scores of a session, what it ran, and how many pictures were encoded for it. */
async function judged(by: Guard, { asking = 'What?', reuse = true, picture = shown } = {}) {
  const encode = mock.method(Model.prototype, 'encodeImage');
  const session = by.open(question(asking), async () => [picture], reuse);
  try {
    const before = await session.pictureScore();
    const [answer = Number.NaN] = await decided(session.scores(['So.']));
    const { ranTokenCount } = session.statistics;
    return { scores: [before, answer], ranTokenCount, encodeCount: encode.mock.callCount() };
  } finally {
    session.close();
    encode.mock.restore();
  }
}

function assertClose(received: readonly number[], expected: readonly number[]): void {
  for (const [at, value] of received.entries())
    assert.ok(Math.abs(value - (expected[at] ?? Number.NaN)) < 1e-4, `${received}; expected ${expected}`);
}

test('a picture that an earlier request showed is neither encoded nor read again, and judged the same', async () => {
  const alone = await judged(guard, { reuse: false });
  const apart = await judged(guard, { reuse: false });
  assert.deepEqual([alone.encodeCount, apart.encodeCount], [1, 1], 'reuse: false has its own');
  assert.equal(apart.ranTokenCount, alone.ranTokenCount);
  const first = await judged(guard);
  assert.deepEqual([first.encodeCount, first.ranTokenCount], [1, alone.ranTokenCount], 'nothing was left to take');
  const again = await judged(guard, { picture: { ...shown, data: Uint8Array.from(shown.data) } });
  assert.equal(again.encodeCount, 0);
  assert.ok(again.ranTokenCount < first.ranTokenCount / 4, `${again.ranTokenCount} of ${first.ranTokenCount}`);
  for (const { scores } of [apart, first, again]) assertClose(scores, alone.scores);
  const other = await judged(guard, { asking: 'Why is that?' });
  assert.equal(other.encodeCount, 0);
  assertClose(other.scores, (await judged(guard, { asking: 'Why is that?', reuse: false })).scores);
  const changed = { ...shown, data: shown.data.map((value) => 255 - value) };
  const inverse = await judged(guard, { picture: changed });
  assert.equal(inverse.encodeCount, 1);
  assert.ok(Math.abs((inverse.scores[0] ?? 0) - (alone.scores[0] ?? 0)) > 1e-3, 'another picture, another score');
  guard.forget();
  assert.deepEqual(await judged(guard), first);
});

test('sessions that show one picture at once share it; one that closes first takes nothing from the other', async () => {
  const small = await tinyGuard(GGUF, form, { projector: PROJECTOR, contextSize: 768, sequenceCount: 8 });
  try {
    const encode = mock.method(Model.prototype, 'encodeImage');
    const [one, two] = ['What?', 'And what else?'].map((asking) =>
      small.open(question(asking), async () => [shown], true),
    ) as [ReturnType<Guard['open']>, ReturnType<Guard['open']>];
    const [first, before] = await Promise.all([one.pictureScore(), two.pictureScore()]);
    assert.equal(encode.mock.callCount(), 1);
    encode.mock.restore();
    one.close();
    // Takes the room: what the second reads of the picture is computed again.
    const filler = small.open(question('why '.repeat(300)), async () => [], true);
    await filler.scores(['So.']).catch(() => undefined);
    filler.close();
    assertClose([await two.pictureScore()], [before]);
    two.close();
    assertClose([first], (await judged(guard, { reuse: false })).scores);
  } finally {
    await small.dispose();
  }
});
