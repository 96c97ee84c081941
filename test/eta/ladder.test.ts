/** What is tried before the fixed sentence: each rung, its counts, its room, its end at a signal. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Eta, EtaRequest, QuestionRequest, Rung } from '../../src/index.js';
import { POLICIES } from '../../src/policy/index.js';
import { asked, formFile, tinyForm } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { assertFreed, collect, loadTiny, QUESTION, TINY, tinyModels, UNSAFE } from './tiny.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

const LADDER = ['refusingPrefix', 'caption'] as const satisfies readonly Rung[];
const HARD: QuestionRequest = { ...QUESTION, thresholds: UNSAFE, ladder: LADDER };

test('neither policy climbs; what is refused without a ladder says nothing of one', async () => {
  assert.deepEqual([POLICIES.paper.ladder, POLICIES.standard.ladder], [[], []]);
  const { result, types } = await collect(eta, { ...QUESTION, thresholds: UNSAFE });
  assert.equal(result.verdict.action, 'refused');
  assert.ok(!('rungs' in result.verdict) && !('rungs' in result.trace) && !types.includes('rung'));
});

test('every rung is tried in its order, told, and counted', async () => {
  const plain = await eta.respond({ ...QUESTION, thresholds: UNSAFE });
  const { result, events, pieces } = await collect(eta, HARD);
  const { verdict, trace, usage } = result;
  assert.equal(verdict.action, 'refused');
  assert.deepEqual(pieces.length, 1, 'the fixed sentence alone');
  const rungs = trace.rungs ?? [];
  assert.deepEqual(
    rungs.map(({ rung }) => rung),
    ['search', ...LADDER],
  );
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'rung' ? [event.rung] : [])),
    rungs,
  );
  assert.deepEqual(
    verdict.rungs,
    rungs.map(({ rung, judgement, sampledTokenCount }) => ({ rung, judgement, sampledTokenCount })),
  );
  const [search, refusing, caption] = rungs;
  assert.equal(search?.text, plain.trace.alignedText);
  assert.deepEqual([search?.prefix, search?.rounds], ['As an AI assistant', []]);
  assert.equal(refusing?.prefix, 'I cannot help you');
  assert.ok(refusing.text.startsWith('I cannot help you') && refusing.rounds.length > 0);
  assert.equal(caption?.captionPrompt, POLICIES.standard.captionPrompt.replace('{question}', QUESTION.prompt));
  assert.deepEqual([caption?.prefix, caption?.rounds], ['', []]);
  assert.equal(trace.alignedText, caption?.text, 'the last that was tried');
  assert.deepEqual(verdict.final, caption?.judgement);
  const sampled = rungs.slice(1).reduce((sum, { sampledTokenCount }) => sum + sampledTokenCount, 0);
  assert.equal(usage.sampledTokenCount, plain.usage.sampledTokenCount + sampled);
  const drawn = refusing.rounds
    .flatMap(({ candidates }) => candidates)
    .reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  assert.equal(refusing.sampledTokenCount, drawn);
  assert.ok(usage.promptTokenCount > 3 * plain.usage.promptTokenCount - 1, 'three prompts more were read');
  assert.ok(usage.cachedTokenCount > plain.usage.promptTokenCount / 2, 'the question again, and the picture');
  assert.equal(trace.rounds.length, plain.trace.rounds.length);
  await assertFreed(eta, 'after the request');
});

test('the order is the one that is named, and the same seed gives the same', async () => {
  const turned = { ...HARD, ladder: ['caption', 'refusingPrefix'] as const, reuse: false };
  const [one, other] = [await eta.respond(turned), await eta.respond(turned)];
  assert.deepEqual(
    one.verdict.rungs?.map(({ rung }) => rung),
    ['search', 'caption', 'refusingPrefix'],
  );
  assert.deepEqual(
    one.trace.rungs?.map(({ text }) => text),
    other.trace.rungs?.map(({ text }) => text),
  );
});

test('the first answer that is safe stands, and nothing is tried behind it', async () => {
  const all = await eta.respond(HARD);
  const scores = all.trace.rungs?.map(({ judgement }) => judgement.score) ?? [];
  const own = all.verdict.answer?.score ?? Number.NaN;
  let checked = 0;
  for (const rung of LADDER) {
    const score = all.trace.rungs?.find((tried) => tried.rung === rung)?.judgement.score ?? Number.NaN;
    const others = [own, scores[0] ?? Number.NaN];
    if (others.some((other) => other >= score)) continue;
    const safeReward = (Math.max(...others) + score) / 2;
    const { result, pieces } = await collect(eta, {
      ...HARD,
      ladder: [rung, ...LADDER.filter((other) => other !== rung)],
      thresholds: { ...UNSAFE, safeReward },
    });
    const { verdict, trace, text, usage } = result;
    assert.equal(verdict.action, 'aligned');
    assert.deepEqual(
      verdict.rungs?.map((tried) => [tried.rung, tried.judgement.isUnsafe]),
      [
        ['search', true],
        [rung, false],
      ],
    );
    assert.equal(verdict.final?.isUnsafe, false);
    assert.deepEqual([trace.alignedText, trace.rungs?.at(-1)?.text], [text, text]);
    assert.equal(pieces.join(''), text);
    assert.ok(usage.answerTokenCount > 0);
    checked++;
  }
  assert.ok(checked > 0, 'a control needs a rung that reads safer than the search');
  await assertFreed(eta, 'after the requests');
});

test('a request without picture passes over the caption', async () => {
  const { image: _image, ...text } = HARD;
  const { verdict } = await eta.respond(text);
  assert.deepEqual(
    verdict.rungs?.map(({ rung }) => rung),
    ['search', 'refusingPrefix'],
  );
  const alone = await eta.respond({ ...text, ladder: ['caption'] });
  assert.equal(alone.verdict.action, 'refused');
  assert.equal(alone.verdict.rungs, undefined);
});

test('every wording can be another; what a user asks is no template', async () => {
  const { trace } = await eta.respond({
    ...HARD,
    prompt: 'What is {caption}?',
    refusingPrefix: 'Never',
    captionPrompt: 'What is there? {question} {other} {constructor}',
    captionedPrompt: 'Shown: {caption}. Asked: {question}',
  });
  assert.equal(trace.rungs?.[1]?.prefix, 'Never');
  assert.equal(trace.rungs?.[2]?.captionPrompt, 'What is there? What is {caption}? {other} {constructor}');
  await assert.rejects(eta.respond({ ...HARD, captionedPrompt: 'Nothing.' }), {
    code: 'ERR_INVALID_OPTION',
    message: /captionedPrompt: expected a text with \{caption\} in it/,
  });
});

test('the picture is not seen by who answers from the caption', async () => {
  const said = async (image: QuestionRequest['image']) =>
    (await eta.respond({ ...HARD, image, ladder: ['caption'], captionedPrompt: 'Say something. {caption}' })).trace;
  const { rungs } = await said(QUESTION.image);
  const alone = await eta.respond({
    prompt: `Say something. ${rungs?.[1]?.caption}`,
    method: 'vanilla',
    reuse: false,
  });
  assert.equal(rungs?.[1]?.text, alone.text, 'as a prompt of text alone');
});

test('methods: each aligns behind the refusal in its own way', async () => {
  for (const method of ['shallow', 'deep', 'pre', 'post'] as const) {
    const { trace } = await eta.respond({ ...HARD, method });
    const refusing = trace.rungs?.[1];
    assert.equal(refusing?.prefix, 'I cannot help you', method);
    assert.equal(refusing.rounds.length > 0, method !== 'shallow', method);
  }
  const { action, rungs } = (await eta.respond({ ...QUESTION, thresholds: UNSAFE, method: 'vanilla' })).verdict;
  assert.deepEqual([action, rungs], ['answered', undefined]);
});

test('what has no room is passed over, and the fixed sentence stands', async () => {
  // The question and its search fit in; a caption's prompt, three times as long, does not.
  const long = 'and what else is there to be seen in it? '.repeat(60);
  await using small = await loadTiny({ contextSize: 1024 });
  const { verdict } = await small.respond({ ...HARD, captionPrompt: `${long}{question}` });
  assert.deepEqual(
    verdict.rungs?.map(({ rung }) => rung),
    ['search', 'refusingPrefix'],
  );
  assert.equal(verdict.action, 'refused');
  await assertFreed(small, 'after it');
});

test('many that climb at once in a small context all come to an end', async () => {
  // Room for one at a time and a little more: who held his question while he waits for more would never get it.
  await using small = await loadTiny({ contextSize: 256, sequenceCount: 6, maxTokens: 24, reuse: false });
  const requests = Array.from({ length: 6 }, (_, seed): EtaRequest => ({ ...HARD, seed }));
  const results = await Promise.all(requests.map((request) => small.respond(request)));
  for (const { verdict } of results) assert.equal(verdict.rungs?.length, 3);
  await assertFreed(small, 'after all');
});

test('a signal ends it at every point, and nothing is left', async () => {
  const { events } = await collect(eta, HARD);
  const { length } = events.filter(({ type }) => type !== 'text');
  for (let at = 0; at < length - 1; at++) {
    const controller = new AbortController();
    let count = 0;
    await assert.rejects(
      (async () => {
        for await (const _event of eta.stream(HARD, { signal: controller.signal }))
          if (count++ === at) controller.abort();
      })(),
      { name: 'AbortError' },
      `after event ${at}`,
    );
    await assertFreed(eta, `after event ${at}`);
  }
  for (const delay of [5, 15, 30, 60, 90]) {
    const stopped = eta.respond({ ...HARD, signal: AbortSignal.timeout(delay) });
    await stopped.catch((error: unknown) => assert.equal((error as Error).name, 'AbortError'));
    await assertFreed(eta, `after ${delay} ms`);
  }
});

test('where the language model judges itself, it judges every rung', async () => {
  const next = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer: next, picture: null }));
  const models = { ...tinyModels, languageModel: golden('tiny-chat.gguf') };
  await using itself = await loadTiny({ models, decision });
  const { verdict } = await itself.respond({ ...HARD, thresholds: { unsafeClipScore: -1, safeDecision: 1e6 } });
  assert.deepEqual(
    verdict.rungs?.map(({ rung, judgement }) => [rung, judgement.evaluator]),
    [
      ['search', 'decision'],
      ['refusingPrefix', 'decision'],
      ['caption', 'decision'],
    ],
  );
  await assertFreed(itself, 'after it');
});

test('stop texts end a rung too', async () => {
  const { trace } = await eta.respond({ ...HARD, stop: ['help'] });
  assert.deepEqual([trace.rungs?.[1]?.text, trace.rungs?.[1]?.stopReason], ['I cannot', 'sequence']);
});

test('a method that makes no answer again takes none by name, and passes over one that was named for all', async () => {
  const refusal = {
    code: 'ERR_INVALID_OPTION',
    message: /ladder: expected none for method 'vanilla', which makes no answer again, received refusingPrefix/,
  };
  await assert.rejects(eta.respond({ ...HARD, method: 'vanilla' }), refusal);
  await assert.rejects(loadTiny({ method: 'vanilla', ladder: LADDER }), refusal);
  await using climbing = await loadTiny({ ladder: LADDER });
  assert.equal((await climbing.respond({ ...QUESTION, method: 'vanilla' })).verdict.action, 'answered');
  await using alone = await loadTiny({ method: 'vanilla' });
  assert.equal((await alone.respond({ ...HARD, method: 'eta' })).verdict.rungs?.length, 3, 'beside one that climbs');
});

test('an answer that leaves before it is judged has nothing behind it', async () => {
  await assert.rejects(eta.respond({ ...HARD, whenStillUnsafe: 'return' }), {
    code: 'ERR_INVALID_OPTION',
    message: /ladder: expected none where an unsafe answer is given out.*Give whenStillUnsafe: 'refuse' with it/,
  });
  await assert.rejects(loadTiny({ policy: 'paper', ladder: LADDER }), { code: 'ERR_INVALID_OPTION' });
  await using climbing = await loadTiny({ ...TINY, ladder: LADDER });
  const returned = await climbing.respond({ ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' });
  assert.deepEqual([returned.verdict.action, returned.verdict.rungs], ['aligned', undefined]);
  assert.equal((await climbing.respond({ ...QUESTION, thresholds: UNSAFE })).verdict.rungs?.length, 3);
  for (const ladder of [['search'], ['caption', 'caption'], 'caption'] as never[])
    await assert.rejects(eta.respond({ ...QUESTION, ladder }), { code: 'ERR_INVALID_OPTION' });
});
