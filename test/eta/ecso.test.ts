/** ECSO, and pictures shown as the text nearest to them: what is made, what is told, what stays as it was. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Eta, QuestionRequest } from '../../src/index.js';
import { POLICIES, rungsOf } from '../../src/policy/index.js';
import { assertFreed, collect, FLAGGED_SAFE, loadTiny, QUESTION, tinyModels, UNSAFE } from './tiny.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

const ECSO: QuestionRequest = { ...QUESTION, method: 'ecso', thresholds: UNSAFE };

test('an answer that is safe stands, and nobody looks at the picture', async () => {
  const own = await eta.respond({ ...QUESTION, method: 'vanilla' });
  const { text, verdict, trace } = await eta.respond({ ...ECSO, thresholds: FLAGGED_SAFE });
  assert.equal(text, own.text);
  assert.deepEqual([verdict.action, verdict.picture, verdict.answer?.isUnsafe], ['answered', null, false]);
  assert.deepEqual([trace.rungs, trace.alignedText, trace.interferencePrefix], [undefined, null, '']);
});

test('an unsafe one is made again from the description alone: the rung of a ladder, with no search before it', async () => {
  const { result, types } = await collect(eta, ECSO);
  const { verdict, trace, usage } = result;
  const [rung, ...others] = trace.rungs ?? [];
  assert.deepEqual([rung?.rung, others, trace.rounds], ['caption', [], []]);
  assert.deepEqual([types.includes('round'), types.filter((type) => type === 'rung').length], [false, 1]);
  const ladder = await eta.respond({ ...QUESTION, thresholds: UNSAFE, ladder: ['caption'] });
  const { text, caption, captionPrompt } = ladder.trace.rungs?.[1] ?? {};
  assert.deepEqual([rung?.text, rung?.caption, rung?.captionPrompt], [text, caption, captionPrompt], 'as on a ladder');
  const prompt = POLICIES.standard.captionedPrompt
    .replace('{caption}', rung?.caption ?? '')
    .replace('{question}', QUESTION.prompt);
  assert.equal(rung?.text, (await eta.respond({ prompt, method: 'vanilla', reuse: false })).text, 'text alone');
  assert.deepEqual([verdict.action, verdict.final, trace.alignedText], ['refused', rung?.judgement, rung?.text]);
  const own = await eta.respond({ ...QUESTION, method: 'vanilla' });
  assert.equal(usage.sampledTokenCount, own.usage.sampledTokenCount + (rung?.sampledTokenCount ?? 0));
  assert.equal(usage.candidateCount, 0);
  await assertFreed(eta, 'after the request');
});

test('as the paper has it, what was made again is given out, judged or not', async () => {
  const returned = await eta.respond({ ...ECSO, whenStillUnsafe: 'return' });
  const { verdict, trace, text } = returned;
  assert.deepEqual([verdict.action, verdict.final?.isUnsafe], ['aligned', true]);
  assert.deepEqual([text, trace.rungs?.length], [trace.rungs?.[0]?.text, 1]);
});

test('a request without picture is answered, and nobody judges it', async () => {
  const { image: _image, ...text } = ECSO;
  const { result, types } = await collect(eta, text);
  assert.deepEqual([result.verdict.action, result.verdict.answer], ['answered', null]);
  assert.ok(!types.includes('vanilla'));
  assert.equal(result.text, (await eta.respond({ ...text, method: 'vanilla' })).text);
});

test('a ladder goes on behind it, without its own rung again', async () => {
  assert.deepEqual(rungsOf({ ...POLICIES.standard, method: 'ecso', ladder: ['refusingPrefix', 'caption'] }), [
    'caption',
    'refusingPrefix',
  ]);
  const { verdict, trace } = await eta.respond({ ...ECSO, ladder: ['caption', 'refusingPrefix'] });
  assert.deepEqual(
    verdict.rungs?.map(({ rung }) => rung),
    ['caption', 'refusingPrefix'],
  );
  assert.deepEqual([trace.rungs?.[1]?.prefix, trace.rungs?.[1]?.rounds], ['I cannot help you', []]);
  await assertFreed(eta, 'after it');
});

test('what has no room for the description is refused, also where it would be given out', async () => {
  await using small = await loadTiny({ contextSize: 512 });
  const captionPrompt = `${'and what else is there to be seen in it? '.repeat(60)}{question}`;
  for (const whenStillUnsafe of ['refuse', 'return'] as const) {
    const { verdict, text, stopReason } = await small.respond({ ...ECSO, captionPrompt, whenStillUnsafe });
    assert.deepEqual([verdict.action, verdict.final, verdict.rungs], ['refused', null, undefined]);
    assert.deepEqual([text, stopReason], [POLICIES.standard.refusalText, 'refusal']);
  }
  await assertFreed(small, 'after it');
});

test('it takes no gate, and needs a judge of answers but no CLIP', async () => {
  await assert.rejects(eta.respond({ ...ECSO, gate: 'both' }), { code: 'ERR_INVALID_OPTION', message: /is its gate/ });
  const { clip: _clip, ...withoutClip } = tinyModels;
  await using blind = await loadTiny({ models: withoutClip, method: 'ecso' });
  assert.equal((await blind.respond(ECSO)).verdict.rungs?.length, 1);
  await assert.rejects(blind.respond({ ...ECSO, method: 'post' }), { code: 'ERR_INVALID_REQUEST' });
});

test('sentence by sentence it goes on behind what went out', async () => {
  const { result, pieces } = await collect(eta, { ...ECSO, release: 'checked' });
  assert.equal(pieces.join(''), result.text);
  assert.equal(result.verdict.rungs?.[0]?.rung, 'caption');
});

test('a picture shown as text: another prompt of the same length, the same for all who judge, kept or not', async () => {
  const plain = await eta.respond({ ...QUESTION, thresholds: UNSAFE });
  const text: QuestionRequest = { ...QUESTION, thresholds: UNSAFE, pictureForm: 'nearestText' };
  const [kept, again, apart] = [
    await eta.respond(text),
    await eta.respond(text),
    await eta.respond({ ...text, reuse: false }),
  ];
  assert.notEqual(kept.trace.vanillaText, plain.trace.vanillaText);
  assert.deepEqual(
    [again.trace.vanillaText, apart.trace.vanillaText],
    [kept.trace.vanillaText, kept.trace.vanillaText],
  );
  assert.equal(kept.usage.imageTokenCount, plain.usage.imageTokenCount);
  assert.deepEqual(kept.verdict.picture, plain.verdict.picture, 'CLIP sees the picture');
  assert.ok(again.usage.cachedTokenCount > kept.usage.cachedTokenCount, 'it is found again');
  const afterwards = await eta.respond({ ...QUESTION, thresholds: UNSAFE });
  assert.equal(afterwards.trace.vanillaText, plain.trace.vanillaText, 'and no other request sees it');
  await assert.rejects(eta.respond({ ...QUESTION, pictureForm: 'text' as never }), { code: 'ERR_INVALID_OPTION' });
  await assertFreed(eta, 'after the requests');
});
