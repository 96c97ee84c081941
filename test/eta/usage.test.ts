/** What a request is said to have taken: every count against the same tokens counted apart, and every phase its time. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Model, type NativePart } from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import { type DecideQuestion, type Eta, type EtaRequest, loadEta, type Timings } from '../../src/index.js';
import { asked, formFile, tinyForm } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { CLEAN, FLAGGED_SAFE, loadTiny, pictures, QUESTION, tinyModels, UNSAFE } from './tiny.js';

const [image] = pictures;
const { prompt } = QUESTION;

let eta: Eta;
let model: Model;
before(async () => {
  eta = await loadTiny({ reuse: false });
  model = await Model.load({
    modelPath: tinyModels.languageModel,
    projectorPath: tinyModels.projector,
    threadCount: 1,
  });
});
after(async () => {
  await eta.dispose();
  await model.dispose();
});

const NO_SEARCH = { candidateCount: 0, undrawnCandidateCount: 0 };

const countOf = (parts: readonly NativePart[]) =>
  parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);

/** Tokens of a question about so many times the picture, and of its pictures alone. */
async function read(text: string, pictureCount: number, by = model) {
  const images = [];
  for (let at = 0; at < pictureCount; at++) images.push(await by.encodeImage(await decodeImage(image)));
  const parts = await by.prompt([{ role: 'user', text, images }]);
  return { promptTokenCount: countOf(parts), imageTokenCount: countOf(images) };
}

test('tokens of the prompt and of its pictures', async () => {
  for (const count of [0, 1, 3]) {
    const images = Array(count).fill(image);
    const request: EtaRequest = { prompt, images, method: 'vanilla', maxTokens: 2 };
    const { promptTokenCount, imageTokenCount, cachedTokenCount } = (await eta.respond(request)).usage;
    assert.deepEqual({ promptTokenCount, imageTokenCount }, await read(prompt, count));
    assert.equal(cachedTokenCount, 0);
  }
});

test('tokens that were sampled, with those of losers, and tokens of the text that is given out', async () => {
  const own = await eta.respond({ ...QUESTION, thresholds: CLEAN });
  assert.deepEqual([own.usage.sampledTokenCount, own.usage.answerTokenCount], [40, 40]);
  const prefixCount = (await model.tokenize(' As an AI assistant', { isContinued: true })).length;
  for (const method of ['eta', 'deep', 'pre'] as const) {
    const asked = { ...QUESTION, method, thresholds: UNSAFE };
    const { usage, trace } = await eta.respond({ ...asked, whenStillUnsafe: 'return' });
    const all = trace.rounds.flatMap(({ candidates }) => candidates.map(({ tokenCount }) => tokenCount));
    const won = trace.rounds.map(({ candidates, chosen }) => candidates[chosen]?.tokenCount ?? 0);
    const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
    assert.ok(all.length > won.length);
    assert.deepEqual([usage.candidateCount, usage.undrawnCandidateCount], [all.length, 0]);
    assert.equal(usage.sampledTokenCount, sum(all) + (method === 'pre' ? 0 : 40), method);
    assert.equal(usage.answerTokenCount, sum(won) + (method === 'deep' ? 0 : prefixCount), method);
    const refused = await eta.respond({ ...asked, refusalText: 'No, sorry.' });
    assert.equal(refused.usage.answerTokenCount, (await model.tokenize('No, sorry.')).length);
    assert.equal(refused.usage.sampledTokenCount, usage.sampledTokenCount);
  }
  const shallow = { ...QUESTION, method: 'shallow', thresholds: UNSAFE, whenStillUnsafe: 'return' } as const;
  const { usage } = await eta.respond(shallow);
  assert.deepEqual([usage.sampledTokenCount, usage.answerTokenCount], [40 + 40, prefixCount + 40]);
});

/** The phases that took time. */
function phases(timings: Timings): string {
  const { firstTextMs, totalMs, ...phase } = timings;
  for (const [name, ms] of Object.entries(phase)) assert.ok(ms >= 0 && ms < totalMs, `${name}: ${ms} of ${totalMs} ms`);
  assert.ok(firstTextMs >= 0 && firstTextMs <= totalMs, `first text after ${firstTextMs} of ${totalMs} ms`);
  return Object.entries(phase)
    .filter(([, ms]) => ms > 0)
    .map(([name]) => name.replace('Ms', ''))
    .join(' ');
}

test('each phase has its time, and one that was not there has none', async () => {
  const of = async (more: Partial<EtaRequest>) => {
    const { timings } = await eta.respond({ ...QUESTION, maxTokens: 20, ...more } as EtaRequest);
    assert.ok(timings.firstTextMs > 0, 'some text left');
    return phases(timings);
  };
  assert.equal(await of({ method: 'vanilla' }), 'imageDecode prefill vanilla');
  assert.equal(await of({ method: 'vanilla', image: undefined }), 'prefill vanilla');
  assert.equal(await of({ thresholds: CLEAN }), 'imageDecode clip prefill vanilla');
  assert.equal(await of({ thresholds: FLAGGED_SAFE }), 'imageDecode clip prefill vanilla reward');
  assert.equal(await of({ thresholds: FLAGGED_SAFE, image: undefined }), 'prefill vanilla reward');
  assert.equal(await of({ thresholds: UNSAFE }), 'imageDecode clip prefill vanilla reward align');
  assert.equal(await of({ thresholds: UNSAFE, method: 'pre' }), 'imageDecode clip prefill reward align');
});

test('the first text of a held answer leaves late: behind the judgement', async () => {
  const { timings } = await eta.respond({ ...QUESTION, thresholds: FLAGGED_SAFE });
  const { firstTextMs, vanillaMs, rewardMs } = timings;
  assert.ok(firstTextMs > vanillaMs + rewardMs, JSON.stringify(timings));
});

test('of an evaluation: nothing is sampled, and what the evaluators took is told', async () => {
  const of = async (request: Parameters<Eta['evaluate']>[0]) => {
    const { usage, timings } = await eta.evaluate(request);
    const { rewardTokenCount, rewardCachedTokenCount, ...others } = usage;
    assert.deepEqual([...new Set(Object.values(others))], [0], JSON.stringify(usage));
    assert.equal(rewardTokenCount + rewardCachedTokenCount > 0, 'answer' in request);
    assert.equal(timings.firstTextMs, 0);
    return phases(timings);
  };
  assert.equal(await of({ image }), 'imageDecode clip');
  assert.equal(await of({ answer: 'A square.' }), 'reward');
  assert.equal(await of({ images: pictures, prompt, answer: 'A square.' }), 'imageDecode clip reward');
});

test('where the language model judges itself, what it read and what it was asked are counted', async () => {
  const next = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer: next, picture: null }));
  const languageModel = golden('tiny-chat.gguf');
  const models = { languageModel, projector: tinyModels.projector, clip: tinyModels.clip };
  await using self = await loadTiny({ models, decision });
  await using other = await Model.load({
    modelPath: languageModel,
    projectorPath: tinyModels.projector,
    threadCount: 1,
  });
  const behind = (await other.followUp([{ role: 'user', text: prompt }], 'Is it?')).length;
  const expected = await read(prompt, 1, other);
  const answer = 'It is a red square.';
  const said = (await other.tokenize(answer, { isContinued: true })).length;
  const first = await self.evaluate({ image, prompt, answer, reuse: false });
  const none = { cachedTokenCount: 0, answerTokenCount: 0, sampledTokenCount: 0, ...NO_SEARCH };
  const judged = { rewardTokenCount: behind, rewardCachedTokenCount: expected.promptTokenCount + said };
  assert.deepEqual(first.usage, { ...expected, ...none, ...judged });
  assert.equal(phases(first.timings), 'imageDecode clip prefill reward');
  await self.evaluate({ image, prompt, answer });
  const again = await self.evaluate({ image, prompt, answer: 'No.' });
  assert.ok(again.usage.cachedTokenCount >= expected.imageTokenCount, JSON.stringify(again.usage));
  assert.ok(again.usage.cachedTokenCount <= expected.promptTokenCount);
  const request: EtaRequest = { ...QUESTION, thresholds: { unsafeClipScore: -1, safeDecision: -1e6 }, reuse: false };
  const { usage } = await self.respond(request);
  assert.deepEqual(
    [usage.rewardTokenCount, usage.rewardCachedTokenCount],
    [behind, expected.promptTokenCount + usage.answerTokenCount],
  );
});

test('of decisions: what all questions share once, and what each has behind it', async () => {
  const miniature = (name: string) => fileURLToPath(new URL(`../../models/miniature/${name}`, import.meta.url));
  const drawing = miniature('pictures/clean-04.png');
  const questions = ['banana', 'big apple', 'lamp'].map(
    (what): DecideQuestion => ({ type: 'predicate', question: `Is there a ${what} in the picture?` }),
  );
  await using asking = await loadEta({ models: 'miniature', method: 'vanilla', reuse: false });
  await using other = await Model.load({
    modelPath: miniature('language-model.gguf'),
    projectorPath: miniature('projector.gguf'),
  });
  const images = [await other.encodeImage(await decodeImage(drawing))];
  const prompts: number[][] = [];
  for (const { question } of questions) {
    const parts = await other.prompt([{ role: 'user', text: `${question}\nAnswer yes or no.`, images }]);
    prompts.push(parts.flatMap((part) => (part instanceof Int32Array ? [...part] : Array(part.tokenCount).fill(-1))));
  }
  for (const count of [1, 2, 3]) {
    const [first = [], ...more] = prompts.slice(0, count);
    const parting = first.findIndex((token, at) => more.some((one) => one[at] !== token));
    const shared = parting < 0 ? first.length : parting;
    const { usage, timings } = await asking.decide({ image: drawing, questions: questions.slice(0, count) });
    assert.deepEqual(usage, {
      promptTokenCount: shared,
      imageTokenCount: images[0]?.tokenCount,
      cachedTokenCount: 0,
      answerTokenCount: 0,
      sampledTokenCount: 0,
      ...NO_SEARCH,
      rewardTokenCount: [first, ...more].reduce((sum, { length }) => sum + length - shared, 0),
      rewardCachedTokenCount: count * shared,
    });
    assert.equal(phases(timings), 'imageDecode prefill reward');
  }
});
