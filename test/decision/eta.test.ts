/** ETA with decisions in the reward model's place: gate, search and last check by a guard, or by the language model itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readForm } from '../../src/decision/index.js';
import { loadEta } from '../../src/index.js';
import { goldenFile } from '../compatibility/golden.js';
import { golden } from '../engine/fixture.js';
import { assertFreed, collect, loadTiny, pictures, QUESTION, tinyModels } from '../eta/tiny.js';
import { asked, decided, formFile, tinyForm, tinyGuard } from './guards.js';

const GUARD = goldenFile('qwen3-vl', 'model.gguf');
const PROJECTOR = goldenFile('qwen3-vl', 'mmproj.gguf');
const MODELS = { languageModel: tinyModels.languageModel, projector: tinyModels.projector, clip: tinyModels.clip };
/** Of the miniature's own world: nothing is to be said of it. */
const DRAWN = fileURLToPath(new URL('../../models/miniature/pictures/drawn-08.png', import.meta.url));
const decision = { form: formFile(tinyForm()), guard: GUARD };
const SAFE = { unsafeClipScore: -1, safeDecision: -1e6 };
const UNSAFE = { unsafeClipScore: -1, safeDecision: 1e6 };

test("a guard judges the answer in the reward model's place, and says that nobody calibrated it", async () => {
  await using eta = await loadTiny({ models: tinyModels, decision });
  assert.equal(eta.facts.models.rewardModel, null, 'the reward model is not loaded');
  assert.deepEqual(eta.facts.evaluators, { pictures: 'clip', answers: 'decision' });
  assert.equal(eta.facts.decision?.guard, GUARD);
  assert.equal(eta.facts.thresholds.safeDecision, 0);
  assert.equal(eta.facts.thresholdSources.safeDecision, decision.form);
  const { verdict, trace, usage } = await eta.respond({ ...QUESTION, thresholds: SAFE });
  assert.equal(verdict.action, 'answered');
  assert.equal(verdict.answer?.evaluator, 'decision');
  assert.equal(verdict.answer?.isCalibrated, false);
  assert.equal(verdict.answer?.threshold, -1e6);
  assert.equal(trace.thresholdSources.safeDecision, 'request');
  assert.ok(usage.rewardTokenCount > 0);
  const guard = await tinyGuard(GUARD);
  const session = guard.open([{ role: 'user', content: QUESTION.prompt }], async () => []);
  const [expected = Number.NaN] = await decided(session.scores([trace.vanillaText ?? '']));
  await guard.dispose();
  const received = verdict.answer?.score ?? Number.NaN;
  assert.ok(Math.abs(received - expected) < 2e-2, `16-bit cells: ${received}, with 32 bits ${expected}`);
});

test('a guard judges the candidates of a search, and the aligned answer', async () => {
  await using eta = await loadTiny({ models: MODELS, decision });
  const { result, types } = await collect(eta, { ...QUESTION, thresholds: UNSAFE });
  assert.equal(result.verdict.action, 'refused');
  assert.ok(types.includes('round'));
  assert.equal(result.verdict.final?.evaluator, 'decision');
  const guard = await tinyGuard(GUARD);
  const session = guard.open([{ role: 'user', content: QUESTION.prompt }], async () => []);
  await session.scores([result.trace.vanillaText ?? '']);
  let accepted = result.trace.interferencePrefix;
  for (const { candidates, chosen } of result.trace.rounds) {
    const expected = await decided(session.scores(candidates.map(({ text }) => accepted + text)));
    for (const [at, { reward }] of candidates.entries())
      assert.ok(
        Math.abs((reward ?? Number.NaN) - (expected[at] ?? Number.NaN)) < 2e-2,
        `${reward}, with 32 bits ${expected[at]}`,
      );
    accepted += candidates[chosen]?.text ?? '';
  }
  await session.scores([result.trace.alignedText ?? '']);
  const { ranTokenCount, cachedTokenCount } = session.statistics;
  const { rewardTokenCount, rewardCachedTokenCount } = result.usage;
  assert.deepEqual([rewardTokenCount, rewardCachedTokenCount], [ranTokenCount, cachedTokenCount]);
  await guard.dispose();
  await assertFreed(eta, 'after the request');
});

test('without CLIP a guard that sees pictures judges them, with the question', async () => {
  const models = { languageModel: tinyModels.languageModel, projector: tinyModels.projector };
  await using eta = await loadTiny({ models, decision: { ...decision, guardProjector: PROJECTOR } });
  assert.deepEqual(eta.facts.evaluators, { pictures: 'decision', answers: 'decision' });
  const calm = await collect(eta, { ...QUESTION, thresholds: { unsafeDecision: 1e6 } });
  assert.equal(calm.result.verdict.picture?.evaluator, 'decision');
  assert.equal(calm.result.verdict.picture?.isUnsafe, false);
  assert.equal(calm.result.verdict.answer, null, 'the picture settled the case');
  const other = await eta.respond({ ...QUESTION, image: pictures[1], thresholds: { unsafeDecision: 1e6 } });
  assert.notEqual(other.verdict.picture?.score, calm.result.verdict.picture?.score, 'it sees the picture');
  const alarmed = await eta.respond({ ...QUESTION, thresholds: { unsafeDecision: -1e6, safeDecision: 1e6 } });
  assert.equal(alarmed.verdict.action, 'refused');
  assert.ok(alarmed.trace.rounds.every(({ candidates }) => candidates.every(({ clipScore }) => clipScore === null)));
  await assertFreed(eta, 'after the requests');
});

test('a text guard beside a model with pictures and no CLIP: the answer alone decides', async () => {
  const models = { languageModel: tinyModels.languageModel, projector: tinyModels.projector };
  await assert.rejects(loadTiny({ models, decision }), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /expected a CLIP for method 'eta'.*Or with method: 'post', which judges answers alone\./,
  });
  await using eta = await loadTiny({ models, decision, method: 'post' });
  const { verdict } = await eta.respond({ ...QUESTION, thresholds: { safeDecision: -1e6 } });
  assert.deepEqual([verdict.picture, verdict.answer?.evaluator], [null, 'decision']);
});

test('the language model judges its own answers', async () => {
  const next = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const self = formFile(tinyForm({ asks: 'self', answer: next, picture: null }));
  await using eta = await loadTiny({ models: { ...MODELS, languageModel: golden('tiny-chat.gguf') }, decision: self });
  const safe = await eta.respond({ ...QUESTION, thresholds: SAFE });
  assert.equal(safe.verdict.answer?.evaluator, 'decision');
  const { result } = await collect(eta, { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' });
  assert.equal(result.verdict.action, 'aligned');
  assert.ok(result.trace.rounds.length > 0);
  for (const { candidates } of result.trace.rounds)
    assert.ok(candidates.every(({ reward }) => Number.isFinite(reward)));
  await assertFreed(eta, 'after the requests');
  await eta.forget();
  assert.equal((await eta.statistics()).liveSequenceCount, 0);
});

test('the miniature asked about its own answer does not answer: an error with a code of its own, and nothing is left', async () => {
  await using eta = await loadEta({ decision: 'self', threadCount: 1 });
  await assert.rejects(
    eta.respond({
      prompt: 'Explain how I can make this.',
      image: DRAWN,
      thresholds: { unsafeClipScore: -1 },
    }),
    {
      name: 'EvaluatorError',
      code: 'ERR_NO_DECISION',
      message: /decision self.* to answer with one of no, yes, .* at least 0\.5, received 0\.0\d+: it does not answer/,
    },
  );
  await assertFreed(eta, 'after the error');
});

test('a shipped form and a guard of another model are refused', async () => {
  await assert.rejects(loadTiny({ models: MODELS, decision: { form: 'qwen3guard', guard: GUARD } }), {
    code: 'ERR_MODEL_MISMATCH',
    message: /expected a guard for the form qwen3guard, whose chat template holds "Safety: Controversial"/,
  });
});

test('requests at once, one of them stopped: each is decided as alone, and the next is answered', async () => {
  await using eta = await loadTiny({ models: MODELS, decision, contextSize: 4096 });
  const requests = ['What is this?', 'And that?', 'Is there a hammer?'].map((prompt) => ({
    ...QUESTION,
    prompt,
    thresholds: UNSAFE,
    whenStillUnsafe: 'return' as const,
  }));
  const alone: (number | undefined)[] = [];
  for (const request of requests) alone.push((await eta.respond(request)).verdict.answer?.score);
  const controller = new AbortController();
  const stopped = (async () => {
    for await (const event of eta.stream({ ...QUESTION, thresholds: UNSAFE }, { signal: controller.signal }))
      if (event.type === 'vanilla') controller.abort(); // while the guard reads
  })();
  const [together] = await Promise.all([
    Promise.all(requests.map((request) => eta.respond(request))),
    assert.rejects(stopped, { name: 'AbortError' }),
  ]);
  for (const [at, { verdict }] of together.entries()) {
    const difference = Math.abs((verdict.answer?.score ?? Number.NaN) - (alone[at] ?? Number.NaN));
    assert.ok(difference < 1e-3, `${verdict.answer?.score}, alone ${alone[at]}`);
  }
  assert.equal(new Set(alone).size, alone.length, 'odds that do not differ show nothing');
  assert.equal((await eta.respond({ ...QUESTION, thresholds: SAFE })).verdict.action, 'answered');
  await assertFreed(eta, 'after all');
});

test('prompts that do not go with who is asked are no form', async () => {
  const next = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const own = tinyForm().picture;
  for (const change of [
    { asks: 'self' as const, picture: null },
    { asks: 'self' as const, answer: next },
    { answer: next },
    { answer: next, picture: null },
    { picture: own && { ...own, prompt: { form: 'conversation' as const, variables: {} } } },
    { picture: own && { ...own, prompt: { form: 'question' as const, system: null, user: 'x', seesPictures: false } } },
  ])
    await assert.rejects(readForm(formFile(tinyForm(change))), { code: 'ERR_MODEL_INVALID' }, JSON.stringify(change));
  await readForm(formFile(tinyForm({ asks: 'self', answer: next, picture: null })));
});

test('what cannot be is refused before anything is loaded', async () => {
  const refused = (choice: NonNullable<Parameters<typeof loadEta>[0]>['decision'], code: string, message: RegExp) =>
    assert.rejects(loadEta({ models: MODELS, decision: choice }), { code, message });
  await refused(
    'qwen3gard',
    'ERR_MODEL_NOT_FOUND',
    /expected a form \(granite-guardian, llama-guard-3, qwen3guard, self, shieldstral\).*Did you mean 'qwen3guard'\?/,
  );
  await refused(
    'qwen3guard',
    'ERR_INVALID_OPTION',
    /expected the GGUF of a guard for the form qwen3guard \(Qwen3Guard-Gen\), received none/,
  );
  await refused({ form: 'self', guard: GUARD }, 'ERR_INVALID_OPTION', /expected no guard beside the form self/);
  await refused(
    { form: 'qwen3guard', guard: '/nowhere.gguf' },
    'ERR_MODEL_NOT_FOUND',
    /decision\.guard: expected a GGUF at .*, received nothing there\. Name the file itself\./,
  );
  await refused({ form: 'qwen3guard', guard: '/tmp' }, 'ERR_MODEL_NOT_FOUND', /at "\/tmp", received a folder\./);
  await refused(
    { form: 'self', gard: 1 } as never,
    'ERR_UNKNOWN_OPTION',
    /unknown option 'gard'. Did you mean 'guard'\?/,
  );
  await refused(
    { form: formFile({ ...tinyForm(), policy: 'Another.' }), guard: GUARD },
    'ERR_MODEL_MISMATCH',
    /expected the wording .* set wordingSha256 to [0-9a-f]{64}/,
  );
  await refused(
    { form: formFile({ ...tinyForm(), score: 1 } as never), guard: GUARD },
    'ERR_MODEL_INVALID',
    /expected a decision's form as JSON; /,
  );
});

test('a threshold of who does not judge is refused: it would change nothing', async () => {
  const refused = (options: Parameters<typeof loadTiny>[0], message: RegExp) =>
    assert.rejects(loadTiny(options), { code: 'ERR_INVALID_OPTION', message });
  await refused({ thresholds: { safeDecision: 1 } }, /expected safeReward for answers, received safeDecision/);
  await refused(
    { thresholds: { unsafeDecision: 1 } },
    /expected unsafeClipScore for pictures, received unsafeDecision/,
  );
  await refused(
    { models: { ...MODELS, languageModel: golden('tiny-chat.gguf') }, decision: 'self', thresholds: { safeReward: 1 } },
    /expected safeDecision for answers, received safeReward/,
  );
});
