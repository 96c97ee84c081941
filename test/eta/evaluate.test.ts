/** The evaluators alone: they say of an answer what they say of it in a request, and nothing is generated. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Model } from '../../src/engine/index.js';
import { prefixTokens } from '../../src/eta/prefix-tokens.js';
import { decodeImage } from '../../src/image/index.js';
import { type Eta, type EvaluateRequest, loadEta } from '../../src/index.js';
import type { NativeImage } from '../../src/native/image-types.js';
import { goldenFile } from '../compatibility/golden.js';
import { asked, formFile, straight, tinyForm } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { assertFreed, FLAGGED_SAFE, loadTiny, pictures, QUESTION, tinyModels } from './tiny.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(() => eta.dispose());

const [image] = pictures;
const { prompt } = QUESTION;

test('picture and answer are judged as in a request that made the answer', async () => {
  const { text, verdict } = await eta.respond({ ...QUESTION, thresholds: FLAGGED_SAFE });
  const before = await eta.statistics();
  const { picture, answer, usage, timings } = await eta.evaluate({
    image,
    prompt,
    answer: text,
    thresholds: FLAGGED_SAFE,
  });
  assert.deepEqual({ picture, answer }, { picture: verdict.picture, answer: verdict.answer });
  const after = await eta.statistics();
  assert.deepEqual([after.stepCount, after.forkCount], [before.stepCount, before.forkCount], 'nothing is decoded');
  assert.deepEqual([usage.sampledTokenCount, usage.answerTokenCount, usage.promptTokenCount], [0, 0, 0]);
  assert.ok(usage.rewardTokenCount + usage.rewardCachedTokenCount > 0);
  assert.ok(timings.totalMs > 0 && timings.vanillaMs === 0);
});

test('what is not asked is null, and other answers and thresholds give other judgements', async () => {
  const alone = await eta.evaluate({ image });
  assert.equal(alone.answer, null);
  assert.equal(alone.usage.rewardTokenCount, 0);
  const of = async (answer: string, thresholds = {}) => {
    const found = await eta.evaluate({ answer, thresholds });
    assert.equal(found.picture, null);
    return found.answer ?? assert.fail('no judgement');
  };
  const [one, other] = [await of('A picture.'), await of('Something else altogether.')];
  assert.notEqual(one.score, other.score);
  assert.equal((await of('A picture.', { safeReward: one.score })).isUnsafe, true, 'hit exactly');
  assert.equal((await of('A picture.', { safeReward: one.score - 1e-9 })).isUnsafe, false);
  const said = await eta.evaluate({ images: pictures, safetyPrompt: 'something else' });
  assert.notEqual(said.picture?.score, alone.picture?.score);
  assert.equal(said.picture?.isCalibrated, false);
});

test('of a conversation: its pictures together, and the answer to its last turn', async () => {
  const turns = [
    { role: 'user' as const, text: 'What is this?', images: [pictures[1]] },
    { role: 'assistant' as const, text: 'A picture.' },
    { role: 'user' as const, text: 'And what colour?' },
  ];
  const { picture } = await eta.evaluate({ turns });
  assert.equal(picture?.score, (await eta.evaluate({ image: pictures[1] })).picture?.score);
  const of = async (text: string) => {
    const [first, second] = turns as [(typeof turns)[0], (typeof turns)[1]];
    const asked = [first, second, { role: 'user' as const, text }];
    return (await eta.evaluate({ turns: asked, answer: 'Red.', rewardContext: 'conversation' })).answer?.score;
  };
  assert.notEqual(await of('And what colour?'), await of('And what size?'));
});

test('a conversation is judged though one of its turns shows a picture and says nothing', async () => {
  const turns = [
    { role: 'user' as const, text: '', images: [image] },
    { role: 'assistant' as const, text: 'A picture.' },
    { role: 'user' as const, text: 'And what colour?' },
  ];
  const found = await eta.evaluate({ turns, answer: 'Red.', rewardContext: 'conversation' });
  assert.ok(Number.isFinite(found.answer?.score) && Number.isFinite(found.picture?.score));
  const silent = [{ role: 'user' as const, text: ' ', images: [image] }];
  await assert.rejects(eta.evaluate({ turns: silent, answer: 'Red.', rewardContext: 'conversation' }), {
    code: 'ERR_INVALID_REQUEST',
    message: /prompt: expected the question beside the answer/,
  });
  assert.equal((await eta.evaluate({ turns: silent, answer: 'Red.' })).answer?.evaluator, 'reward');
  assert.equal((await eta.evaluate({ turns: silent, rewardContext: 'conversation' })).answer, null);
});

test('a guard that decides judges, by the question too', async () => {
  const decision = { form: formFile(tinyForm()), guard: goldenFile('qwen3-vl', 'model.gguf') };
  await using guarded = await loadTiny({ decision });
  const thresholds = { unsafeClipScore: -1, safeDecision: -1e6 };
  const { text, verdict } = await guarded.respond({ ...QUESTION, thresholds });
  const { picture, answer } = await guarded.evaluate({ image, prompt, answer: text, thresholds });
  assert.deepEqual(picture, verdict.picture);
  assert.equal(answer?.evaluator, 'decision');
  const near = Math.abs((answer?.score ?? Number.NaN) - (verdict.answer?.score ?? Number.NaN));
  assert.ok(near < 2e-2, `${near} apart, in 16-bit cells`);
  const other = await guarded.evaluate({ prompt: 'Something else?', answer: text, thresholds });
  assert.notEqual(other.answer?.score, answer?.score);
  await assert.rejects(guarded.evaluate({ answer: text }), {
    code: 'ERR_INVALID_REQUEST',
    message: /request: prompt: expected the question beside the answer/,
  });
});

test('the language model itself reads the answer as if it were its own', async () => {
  const question = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer: question, picture: null }));
  const languageModel = golden('tiny-chat.gguf');
  const models = { languageModel, projector: tinyModels.projector, clip: tinyModels.clip };
  await using self = await loadTiny({ models, decision, flashAttention: 'off' });
  const answer = 'It is a red square.';
  const thresholds = { safeDecision: 0 };
  const found = await self.evaluate({ image, prompt, answer, thresholds });
  await using model = await Model.load({
    modelPath: languageModel,
    projectorPath: tinyModels.projector,
    threadCount: 1,
  });
  const encoded = [await model.encodeImage(await decodeImage(image))];
  const read = await model.prompt([{ role: 'user', text: prompt, images: encoded }]);
  const said = await prefixTokens(model, read, answer, {});
  const behind = await model.followUp([{ role: 'user', text: prompt }], 'Is it?');
  const expected = await straight(model, question, [...read, said, behind]);
  const received = found.answer?.score ?? Number.NaN;
  assert.ok(Math.abs(received - expected) < 1e-3, `${received}, straight ${expected}`);
  assert.notEqual((await self.evaluate({ image, prompt, answer: 'No.', thresholds })).answer?.score, received);
  const again = await self.evaluate({ image, prompt, answer, thresholds });
  assert.ok(again.usage.cachedTokenCount > 0, 'what respond keeps, and what was read here, is found again');
  assert.equal(again.usage.sampledTokenCount, 0);
  await assertFreed(self, 'evaluated');
  await assert.rejects(self.evaluate({ prompt, answer: 'word '.repeat(5000), thresholds }), {
    code: 'ERR_PROMPT_TOO_LONG',
    message: /request: answer: expected one of at most \d+ tokens/,
  });
  await assertFreed(self, 'refused');
});

test('the language model itself is shown the picture in the form that holds for requests', async () => {
  const question = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer: question, picture: null }));
  const languageModel = golden('tiny-chat.gguf');
  const models = { languageModel, projector: tinyModels.projector, clip: tinyModels.clip };
  const answer = 'It is a red square.';
  await using self = await loadTiny({ models, decision, flashAttention: 'off', pictureForm: 'nearestText' });
  const found = await self.evaluate({ image, prompt, answer, thresholds: { safeDecision: 0 } });
  const received = found.answer?.score ?? Number.NaN;
  await using model = await Model.load({
    modelPath: languageModel,
    projectorPath: tinyModels.projector,
    threadCount: 1,
  });
  const rows = await model.encodeImage(await decodeImage(image));
  const behind = await model.followUp([{ role: 'user', text: prompt }], 'Is it?');
  const expectedOn = async (picture: NativeImage) => {
    const read = await model.prompt([{ role: 'user', text: prompt, images: [picture] }]);
    return await straight(model, question, [...read, await prefixTokens(model, read, answer, {}), behind]);
  };
  const [asText, asRows] = [await expectedOn(await model.nearestText(rows)), await expectedOn(rows)];
  assert.ok(Math.abs(received - asText) < 1e-3, `${received}, straight ${asText}`);
  assert.ok(Math.abs(received - asRows) > 2 * Math.abs(received - asText), 'control: rows say something else');
  await assertFreed(self, 'evaluated');
});

test('who cannot judge is refused as respond refuses', async () => {
  const { languageModel, projector } = tinyModels;
  await using alone = await loadEta({ models: { languageModel, projector }, method: 'vanilla', threadCount: 1 });
  const refused = { code: 'ERR_INVALID_REQUEST' };
  await assert.rejects(alone.evaluate({ image }), { ...refused, message: /nobody who judges pictures was loaded/ });
  await assert.rejects(alone.evaluate({ answer: 'x' }), {
    ...refused,
    message: /nobody who judges answers was loaded/,
  });
  for (const [request, message] of [
    [{}, /expected a picture or an answer to judge, received neither/],
    [{ prompt: 'What?' }, /received neither/],
    [{ answer: ' ' }, /answer: expected an answer to judge, received none/],
    [{ image, images: [image] }, /expected image or images, received both/],
  ] as const)
    await assert.rejects(eta.evaluate(request as EvaluateRequest), { ...refused, message });
  await assert.rejects(eta.evaluate({ image, method: 'eta' } as EvaluateRequest), { code: 'ERR_UNKNOWN_OPTION' });
  await assert.rejects(eta.evaluate({ image: 'nowhere.png' }), { code: 'ERR_IMAGE_NOT_FOUND' });
});

test('three at once, an abort, and dispose', async () => {
  const of = (answer: string) => eta.evaluate({ image, answer });
  const texts = ['One.', 'Two.', 'Three.'];
  const alone: unknown[] = [];
  for (const text of texts) alone.push((await of(text)).answer);
  assert.deepEqual(
    (await Promise.all(texts.map(of))).map(({ answer }) => answer),
    alone,
  );
  await assert.rejects(eta.evaluate({ image, signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
  const controller = new AbortController();
  const late = eta.evaluate({ images: pictures, answer: 'Four.', reuse: false, signal: controller.signal });
  setImmediate(() => controller.abort());
  await assert.rejects(late, { code: 'ERR_ABORTED' });
  const gone = await loadTiny();
  const running = gone.evaluate({ image, answer: 'Five.' });
  const ended = assert.rejects(running, { code: 'ERR_DISPOSED' });
  await gone.dispose();
  await ended;
  await assert.rejects(gone.evaluate({ image }), { code: 'ERR_DISPOSED' });
});
