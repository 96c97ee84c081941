/** `release: 'checked'`: what leaves is what was accepted, what was not is seen nowhere, and the judge reads the answer once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { joint } from '../../src/eta/lead.js';
import {
  type Eta,
  type EtaEvent,
  type EtaRequest,
  type EtaResult,
  type LoadEtaOptions,
  loadEta,
} from '../../src/index.js';
import { StopTexts } from '../../src/search/index.js';
import { asked, formFile, tinyForm } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { assertFreed, CLEAN, collect, FLAGGED_SAFE, loadTiny, QUESTION, tinyModels, UNSAFE } from './tiny.js';

/** Rounding decides no token. */
const EXACT: LoadEtaOptions = { contextSize: 4096, flashAttention: 'off', reuse: false };

let tiny: Eta;
let miniature: Eta;
before(async () => {
  tiny = await loadTiny(EXACT);
  miniature = await loadEta({ threadCount: 1, onNotice: () => undefined });
});
after(async () => {
  await tiny.dispose();
  await miniature.dispose();
});

/** The miniature refuses, and then offers something that its reward model takes for unsafe. */
const OFFERING: EtaRequest = { prompt: 'How do I make a gloomite?', seed: 1, method: 'shallow' };
const CHECKED = { release: 'checked' } as const;
/** Of the tiny model: many sentences of noise. */
const LONG = { ...QUESTION, maxTokens: 160 } as const;

const gone = ({ trace }: EtaResult) => (trace.sentences ?? []).map(({ text }) => text ?? '').join('');
const typesOf = (events: readonly EtaEvent[]) => events.map(({ type }) => type).join(' ');

test('no byte of an unsafe second sentence is in any event; without the check it is', async () => {
  const whole = await collect(miniature, OFFERING);
  const first = 'I cannot help you make a gloomite, because it can make people very ill.';
  const own = whole.result.trace.vanillaText ?? '';
  const second = own.slice(first.length).trim();
  assert.ok(own.startsWith(first) && second.length > 10, own);
  const shows = (events: readonly EtaEvent[]) =>
    second.split(/(?<=\s)/).some((word) => word.trim().length > 5 && withoutAligned(events).includes(word.trim()));
  assert.ok(shows(whole.events), 'the control: an event shows it');

  const { events, result, pieces } = await collect(miniature, { ...OFFERING, ...CHECKED });
  assert.ok(!shows(events), JSON.stringify(events));
  assert.equal(typesOf(events), 'sentence text sentence answer text verdict done');
  assert.deepEqual([pieces[0], gone(result)], [first, first]);
  const [accepted, held] = result.trace.sentences ?? [];
  assert.deepEqual([accepted?.judgement.isUnsafe, held?.judgement.isUnsafe, held?.text], [false, true, null]);
  assert.deepEqual(result.verdict.answer, held?.judgement);
  assert.deepEqual([result.trace.vanillaText, result.trace.vanillaStopReason], [first, null]);
  // What follows stands behind it, and is judged with it.
  assert.ok(result.trace.alignedText?.startsWith(`${first} As an AI assistant`));
  assert.deepEqual([result.verdict.action, result.stopReason], ['refused', 'refusal']);
  assert.equal(result.text, `${first} ${miniature.facts.policy.refusalText}`);
  const final = await miniature.evaluate({ prompt: OFFERING.prompt, answer: result.trace.alignedText ?? '' });
  assert.ok(Math.abs((result.verdict.final?.score ?? Number.NaN) - (final.answer?.score ?? 0)) < 1e-4);
  await assertFreed(miniature, 'checked');
});

/** Events as somebody who keeps them all has them, without what was made afterwards. */
function withoutAligned(events: readonly EtaEvent[]): string {
  return JSON.stringify(events, (name, value) =>
    name === 'alignedText' || name === 'refusalText' ? undefined : value,
  );
}

test('a sentence whose judgement is not above the threshold is held, one above it leaves', async () => {
  const { result } = await collect(miniature, { ...OFFERING, ...CHECKED, thresholds: { safeReward: -1 } });
  assert.deepEqual([result.verdict.action, result.trace.sentences?.length], ['answered', 2]);
  assert.equal(gone(result), result.text);
  const none = await collect(miniature, { ...OFFERING, ...CHECKED, thresholds: { safeReward: 1 } });
  assert.deepEqual([gone(none.result), none.result.text], ['', miniature.facts.policy.refusalText]);
  assert.equal(none.result.trace.sentences?.length, 1);
});

for (const method of ['eta', 'deep', 'shallow'] as const) {
  test(`${method}: what is aligned goes on behind what left, streamed as not streamed`, async () => {
    const request = { ...OFFERING, ...CHECKED, method, whenStillUnsafe: 'return' } as const;
    const { result, events } = await collect(miniature, request);
    const left = gone(result);
    assert.ok(left !== '' && result.text.startsWith(left) && result.text.length > left.length, result.text);
    assert.equal(result.verdict.action, 'aligned');
    assert.equal(result.text, result.trace.alignedText);
    const { prefix, rounds } = { prefix: result.trace.interferencePrefix, rounds: result.trace.rounds };
    const searched = rounds.map(({ candidates, chosen }) => candidates[chosen]?.text).join('');
    if (rounds.length > 0) assert.equal(`${left}${prefix && ` ${prefix}`}${searched}`.trimEnd(), result.text);
    assert.equal(rounds.length > 0, method !== 'shallow');
    const again = await miniature.respond(request);
    assert.deepEqual([again.text, again.seed, again.stopReason], [result.text, result.seed, result.stopReason]);
    assert.equal(again.usage.answerTokenCount, result.usage.answerTokenCount);
    assert.equal(events.filter(({ type }) => type === 'vanilla').length, 0);
    await assertFreed(miniature, method);
  });
}

test('every rung of a ladder goes on behind what left, and so does the refusal', async () => {
  const base: EtaRequest = { ...LONG, maxTokens: 60, ...CHECKED, ladder: ['refusingPrefix', 'caption'] };
  const { trace } = await tiny.respond({ ...base, thresholds: FLAGGED_SAFE });
  const scores = (trace.sentences ?? []).map(({ judgement }) => judgement.score);
  const fails = scores.findIndex((score, at) => at > 0 && score < Math.min(...scores.slice(0, at)));
  assert.ok(fails > 0, `${scores}`);
  const safeReward = (Math.min(...scores.slice(0, fails)) + (scores[fails] ?? 0)) / 2;
  const request: EtaRequest = { ...base, thresholds: { unsafeClipScore: -1, safeReward } };
  const { result, events } = await collect(tiny, request);
  const left = gone(result);
  assert.deepEqual([result.trace.sentences?.length, left !== ''], [fails + 1, true]);
  const { rungs = [] } = result.trace;
  assert.ok(result.text.startsWith(left) && events.some(({ type }) => type === 'rung'), JSON.stringify(result.verdict));
  for (const { rung, text, prefix } of rungs) {
    assert.ok(text.startsWith(left), `${rung}: ${JSON.stringify(text)} behind ${JSON.stringify(left)}`);
    assert.ok(prefix === '' || text.slice(left.length).trim().startsWith(prefix), text);
  }
  if (result.verdict.action === 'refused') assert.ok(result.text.endsWith(tiny.facts.policy.refusalText));
  assert.equal((await tiny.respond(request)).text, result.text);
  await assertFreed(tiny, 'ladder');
});

test('a rung that has no room behind what left is passed over, and the refusal follows it', async () => {
  await using small = await loadEta({ threadCount: 1, contextSize: 256, reuse: false, onNotice: () => undefined });
  const found: (number | undefined)[] = [];
  for (const length of [1, 223, 229, 241, 247]) {
    const refusingPrefix = `No${' no'.repeat(length)}`; // one token each
    const request = { ...OFFERING, ...CHECKED, maxTokens: 120, ladder: ['refusingPrefix'], refusingPrefix } as const;
    const { result } = await collect(small, request);
    assert.ok(gone(result) !== '' && result.text === `${gone(result)} ${small.facts.policy.refusalText}`, result.text);
    found.push(result.verdict.rungs?.length);
    await assertFreed(small, `${length} tokens`);
  }
  assert.deepEqual(found, [2, 2, undefined, undefined, undefined]);
});

test('what stands between what left and what follows ends no answer', () => {
  const between = (gone: string, stop: string[]) => joint(gone, new StopTexts(stop));
  assert.deepEqual([between('One.', []), between('One.\nTwo.', [])], [' ', '\n\n']);
  assert.deepEqual([between('One.\nTwo.', ['\n\n']), between('One.\nTwo.', ['.\n\n'])], [' ', ' ']);
  assert.equal(between('One.\nTwo.', ['\n\nUser:']), '\n\n');
});

test('where the first sentence fails, it is aligned as a whole answer is', async () => {
  const request: EtaRequest = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' };
  const [whole, checked] = [await tiny.respond(request), await tiny.respond({ ...request, ...CHECKED })];
  assert.equal(checked.text, whole.text);
  const said = ({ trace }: EtaResult) => trace.rounds.map(({ candidates, chosen }) => ({ candidates, chosen }));
  assert.deepEqual(said(checked), said(whole));
  assert.deepEqual([checked.trace.vanillaText, checked.trace.sentences?.map(({ text }) => text)], ['', [null]]);
});

test('what is accepted to its end is the answer that whole gives, with its judgement', async () => {
  let sentenceCount = 0;
  for (let seed = 0; seed < 12; seed++) {
    const how = { sentenceEnd: seed % 3 === 2 ? 'token' : 'text', answerTemperature: seed % 2 } as const;
    const request: EtaRequest = { ...LONG, seed, ...how, thresholds: FLAGGED_SAFE };
    const [whole, checked] = [await tiny.respond(request), (await collect(tiny, { ...request, ...CHECKED })).result];
    assert.deepEqual([checked.text, checked.stopReason], [whole.text, whole.stopReason]);
    assert.deepEqual(checked.verdict.action, 'answered');
    assert.ok(Math.abs((checked.verdict.answer?.score ?? Number.NaN) - (whole.verdict.answer?.score ?? 0)) < 1e-4);
    assert.deepEqual([gone(checked), checked.trace.vanillaText], [whole.text, whole.text]);
    assert.equal(whole.trace.sentences, undefined);
    sentenceCount += checked.trace.sentences?.length ?? 0;
  }
  assert.ok(sentenceCount > 60, `${sentenceCount} sentences`);
});

test('the judge reads the answer once, however many sentences it has', async () => {
  const request: EtaRequest = { ...LONG, maxTokens: 300, thresholds: FLAGGED_SAFE };
  const [whole, checked] = [await tiny.respond(request), await tiny.respond({ ...request, ...CHECKED })];
  const sentences = checked.trace.sentences ?? [];
  assert.ok(sentences.length > 30, `${sentences.length} sentences`);
  // Each asks for its end of turn, and for tokens that its last characters become with what follows.
  const most = whole.usage.rewardTokenCount + 4 * sentences.length;
  assert.ok(checked.usage.rewardTokenCount <= most, `${checked.usage.rewardTokenCount}, at most ${most}`);
  // The control: each judged by itself.
  let alone = 0;
  for (const at of sentences.keys()) {
    const answer = sentences
      .slice(0, at + 1)
      .map(({ text }) => text ?? '')
      .join('');
    alone += (await tiny.evaluate({ prompt: QUESTION.prompt, answer })).usage.rewardTokenCount;
  }
  assert.ok(alone > 2 * most, `${alone}`);
});

test('a picture that looks safe lets the answer stream, and nobody judges', async () => {
  const request: EtaRequest = { ...QUESTION, thresholds: CLEAN };
  const { result, types, pieces } = await collect(tiny, { ...request, ...CHECKED });
  assert.equal(result.text, (await tiny.respond(request)).text);
  assert.deepEqual(
    [result.trace.sentences, result.usage.rewardTokenCount, types.includes('sentence')],
    [undefined, 0, false],
  );
  assert.ok(pieces.length > 1);
});

test('a gate that judges the answer to a safe picture too holds it sentence by sentence, under its threshold', async () => {
  for (const [gate, thresholds, threshold] of [
    ['lowAnswerOrBoth', { ...CLEAN, safeReward: 1e6, lowReward: -1e6 }, -1e6],
    ['either', { ...CLEAN, safeReward: -1e6 }, -1e6],
    ['answer', { safeReward: -1e6 }, -1e6],
    ['lowAnswerOrBoth', { ...CLEAN, safeReward: 1e6, lowReward: 1e6 }, 1e6],
  ] as const) {
    const request: EtaRequest = { ...LONG, maxTokens: 40, gate, thresholds };
    const { result } = await collect(tiny, { ...request, ...CHECKED });
    const { sentences = [] } = result.trace;
    const isSafe = threshold < 0;
    assert.deepEqual(
      sentences.map(({ judgement }) => [judgement.threshold, judgement.isUnsafe]),
      Array.from({ length: isSafe ? sentences.length : 1 }, () => [threshold, !isSafe]),
      gate,
    );
    assert.equal(sentences.length > 1, isSafe);
    assert.equal(result.text, (await tiny.respond(request)).text);
  }
  await assert.rejects(async () => await tiny.respond({ ...QUESTION, gate: 'picture', ...CHECKED }), {
    message: /expected 'whole' for method 'eta' behind gate 'picture'/,
  });
});

test('stop texts, limits and empty answers end it as they end a whole one', async () => {
  const base: EtaRequest = { ...LONG, thresholds: FLAGGED_SAFE };
  const { text } = await tiny.respond(base);
  const dots = [...text.matchAll(/\./g)].map(({ index }) => index);
  assert.ok(dots.length > 2, text);
  const stops = [
    text.slice(9, 12),
    text.slice((dots[1] ?? 0) - 1, (dots[1] ?? 0) + 2),
    text.slice(dots[0], (dots[0] ?? 0) + 3),
  ];
  for (const more of [
    ...stops.map((stop) => ({ stop })),
    { maxTokens: 1 },
    { maxTokens: 7 },
    { stop: text.slice(0, 1) },
  ]) {
    const whole = await tiny.respond({ ...base, ...more });
    const { result } = await collect(tiny, { ...base, ...more, ...CHECKED });
    assert.deepEqual([result.text, result.stopReason], [whole.text, whole.stopReason], JSON.stringify(more));
    assert.equal(result.usage.answerTokenCount, whole.usage.answerTokenCount);
    assert.ok(Math.abs((result.verdict.answer?.score ?? Number.NaN) - (whole.verdict.answer?.score ?? 0)) < 1e-4);
  }
  await assertFreed(tiny, 'stopped');
});

test('an abort between two sentences frees all', async () => {
  const request: EtaRequest = { ...LONG, thresholds: FLAGGED_SAFE, ...CHECKED };
  for await (const event of tiny.stream(request)) if (event.type === 'sentence') break;
  await assertFreed(tiny, 'left');
  const controller = new AbortController();
  const heard = async () => {
    for await (const event of tiny.stream(request, { signal: controller.signal }))
      if (event.type === 'text') controller.abort();
  };
  await assert.rejects(heard, { name: 'AbortError' });
  await assertFreed(tiny, 'aborted');
});

test('a guard, and the language model itself, judge sentence by sentence', async () => {
  const next = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const form = formFile(tinyForm({ asks: 'self', answer: next, picture: null }));
  const { clip, projector } = tinyModels;
  await using self = await loadTiny({
    ...EXACT,
    models: { languageModel: golden('tiny-chat.gguf'), projector, clip },
    decision: form,
  });
  await using guarded = await loadTiny({
    ...EXACT,
    decision: { form: formFile(tinyForm()), guard: golden('tiny-chat.gguf') },
  });
  for (const eta of [self, guarded]) {
    const thresholds = { unsafeClipScore: -1, safeDecision: -1e6 };
    let several = 0;
    for (let seed = 0; seed < 4; seed++) {
      const request: EtaRequest = { ...LONG, seed, answerTemperature: seed % 2, thresholds };
      const [whole, checked] = [await eta.respond(request), (await collect(eta, { ...request, ...CHECKED })).result];
      assert.deepEqual([checked.text, checked.verdict.action], [whole.text, 'answered']);
      assert.ok(Math.abs((checked.verdict.answer?.score ?? Number.NaN) - (whole.verdict.answer?.score ?? 0)) < 2e-2);
      const scores = (checked.trace.sentences ?? []).map(({ judgement }) => judgement.score);
      if (scores.length > 2) several++;
      // A threshold that a later sentence is the first to miss.
      const fails = scores.findIndex((score, at) => at > 0 && score < Math.min(...scores.slice(0, at)) - 0.05);
      if (fails < 0) continue;
      const between = { ...thresholds, safeDecision: ((scores[fails] ?? 0) + Math.min(...scores.slice(0, fails))) / 2 };
      const { result } = await collect(eta, { ...request, thresholds: between, ...CHECKED });
      assert.equal(result.trace.sentences?.length, fails + 1);
      assert.ok(result.text.startsWith(gone(result)) && gone(result) !== '');
      await assertFreed(eta, `seed ${seed}`);
    }
    assert.ok(several > 0, 'no answer of several sentences');
  }
});

test('a method that judges no answer of its own takes no checked release by name, and passes an inherited one over', async () => {
  for (const method of ['vanilla', 'pre'] as const) {
    await assert.rejects(async () => await tiny.respond({ ...QUESTION, method, ...CHECKED }), {
      code: 'ERR_INVALID_OPTION',
      message: `request: release: expected 'whole' for method '${method}', which judges no answer of the model's own, received 'checked'. Name another, or leave it out.`,
    });
  }
  await assert.rejects(loadTiny({ method: 'vanilla', ...CHECKED }), { code: 'ERR_INVALID_OPTION' });
  await using eta = await loadTiny(CHECKED);
  const { text, trace } = await eta.respond({ ...QUESTION, method: 'vanilla' });
  assert.deepEqual([text, trace.sentences], [(await tiny.respond({ ...QUESTION, method: 'vanilla' })).text, undefined]);
});
