/** Texts that end an answer, on every path: the same text as cut from the whole, within one step, and nothing behind it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DecisionOptions, type Eta, type EtaRequest, type EtaResult, loadEta } from '../../src/index.js';
import { formFile, asked as question, tinyForm } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { assertFreed, CLEAN, collect, FLAGGED_SAFE, loadTiny, QUESTION, tinyModels, UNSAFE } from './tiny.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(() => eta.dispose());

const PATHS = {
  vanilla: { method: 'vanilla' },
  clean: { thresholds: CLEAN },
  held: { thresholds: FLAGGED_SAFE },
  drawn: { thresholds: CLEAN, answerTemperature: 1 },
  shallow: { thresholds: UNSAFE, whenStillUnsafe: 'return', method: 'shallow' },
  deep: { thresholds: UNSAFE, whenStillUnsafe: 'return', method: 'deep' },
  eta: { thresholds: UNSAFE, whenStillUnsafe: 'return' },
  'by token': { thresholds: UNSAFE, whenStillUnsafe: 'return', sentenceEnd: 'token' },
} as const satisfies Readonly<Record<string, Partial<DecisionOptions>>>;

/** Stop texts that lie in the text: a letter, several, and one that begins at its start. */
function stopsIn({ text }: EtaResult): string[] {
  const places = [
    [4, 5],
    [9, 13],
    [Math.floor(text.length / 2), Math.floor(text.length / 2) + 9],
    [0, 3],
    [text.length - 1, text.length],
  ] as const;
  return places.map(([begin, end]) => text.slice(begin, end)).filter((stop) => stop !== '');
}

for (const [name, options] of Object.entries(PATHS)) {
  test(`${name}: ends before the first occurrence, streamed and not`, async () => {
    const whole = await eta.respond({ ...QUESTION, ...options });
    // The search chooses by rewards, which a shorter sentence changes: there the first candidates alone are the same.
    const searches = whole.trace.rounds.length > 0;
    for (const stop of stopsIn(whole)) {
      const request: EtaRequest = { ...QUESTION, ...options, stop };
      const { result, pieces } = await collect(eta, request);
      const again = await eta.respond(request);
      assert.equal(again.text, result.text);
      assert.ok(!result.text.includes(stop), JSON.stringify({ stop, text: result.text }));
      assert.ok(!pieces.join('').includes(stop));
      assert.ok(result.usage.answerTokenCount <= whole.usage.sampledTokenCount);
      if (!searches) {
        assert.equal(result.text, whole.text.slice(0, whole.text.indexOf(stop)).trimEnd(), JSON.stringify(stop));
        assert.equal(result.stopReason, 'sequence');
      }
      if (result.stopReason === 'sequence') assert.ok(result.usage.answerTokenCount <= whole.usage.answerTokenCount);
      await assertFreed(eta, stop);
    }
    const never = await eta.respond({ ...QUESTION, ...options, stop: ['no answer has this', '\u{1F40D}'] });
    assert.deepEqual([never.text, never.stopReason], [whole.text, whole.stopReason]);
  });
}

test('decoding ends within the step in which the text is complete', async () => {
  const whole = await eta.respond({ ...QUESTION, method: 'vanilla' });
  assert.equal(whole.usage.sampledTokenCount, 40);
  const { usage, text } = await eta.respond({ ...QUESTION, method: 'vanilla', stop: whole.text.slice(9, 11) });
  // A token of the tiny vocabulary is a few characters at most.
  assert.ok(usage.sampledTokenCount <= whole.text.indexOf(whole.text.slice(9, 11)) + 3, `${usage.sampledTokenCount}`);
  assert.ok(usage.answerTokenCount <= usage.sampledTokenCount && text.length > 0);
});

test('the interference prefix too', async () => {
  const base = { ...QUESTION, ...PATHS.eta };
  const { result, pieces } = await collect(eta, { ...base, stop: 'an AI' });
  assert.deepEqual([result.text, result.stopReason, result.trace.rounds.length], ['As', 'sequence', 0]);
  assert.deepEqual(pieces, ['As']);
  assert.equal(result.trace.alignedStopReason, 'sequence');
  const empty = await eta.respond({ ...base, stop: 'As' });
  assert.deepEqual([empty.text, empty.stopReason, empty.usage.answerTokenCount], ['', 'sequence', 0]);
  // From the prefix into the first sentence.
  const first = (await eta.respond(base)).trace.rounds[0]?.candidates[0]?.text.slice(0, 2) ?? '';
  const across = await eta.respond({ ...base, candidateCount: 1, stop: `assistant${first}` });
  assert.deepEqual([across.text, across.stopReason], ['As an AI', 'sequence']);
  assert.equal(across.trace.rounds.length, 1);
});

test('what is judged is the text that is given out', async () => {
  const whole = await eta.respond({ ...QUESTION, thresholds: FLAGGED_SAFE });
  const stop = whole.text.slice(9, 12);
  const { result } = await collect(eta, { ...QUESTION, thresholds: FLAGGED_SAFE, stop });
  const rewarded = await eta.respond({
    ...QUESTION,
    thresholds: FLAGGED_SAFE,
    maxTokens: result.usage.answerTokenCount,
  });
  assert.equal(result.trace.vanillaText, result.text);
  assert.notEqual(result.verdict.answer?.score, whole.verdict.answer?.score);
  if (rewarded.text === result.text) assert.equal(result.verdict.answer?.score, rewarded.verdict.answer?.score);
});

test('the language model itself judges the text before the stop text, and not what it sampled behind', async () => {
  const next = question({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer: next, picture: null }));
  const { clip, projector } = tinyModels;
  const models = { languageModel: golden('tiny-chat.gguf'), projector, clip };
  await using self = await loadTiny({ models, decision });
  const thresholds = { unsafeClipScore: -1, safeDecision: -1e6 };
  const base: EtaRequest = { ...QUESTION, thresholds, reuse: false };
  const whole = await self.respond(base);
  let compared = 0;
  for (let count = 2; count < 12; count++) {
    const cut = await self.respond({ ...base, maxTokens: count });
    const stop = whole.text.slice(cut.text.length, cut.text.length + 2);
    if (cut.text.trim() === '' || stop.trim() !== stop || whole.text.indexOf(stop) !== cut.text.length) continue;
    const stopped = await self.respond({ ...base, stop });
    assert.equal(stopped.text, cut.text);
    const [received = Number.NaN, expected = Number.NaN] = [stopped.verdict.answer?.score, cut.verdict.answer?.score];
    // The same text may be in other tokens where the stop text began inside one.
    if (stopped.usage.answerTokenCount !== cut.usage.answerTokenCount) continue;
    assert.ok(Math.abs(received - expected) < 1e-4, `${received}, cut by the limit ${expected}`);
    assert.notEqual(received, whole.verdict.answer?.score);
    compared++;
  }
  assert.ok(compared > 2, `${compared} compared`);
  const searched = {
    ...base,
    thresholds: { unsafeClipScore: -1, safeDecision: 1e6 },
    whenStillUnsafe: 'return' as const,
  };
  for (const stop of ['a', 'e', ' ', 'an AI']) {
    const { result } = await collect(self, { ...searched, stop });
    assert.equal(result.stopReason, 'sequence');
    assert.ok(Number.isFinite(result.verdict.final?.score));
    await assertFreed(self, stop);
  }
});

test('of the miniature: sentences of its own, cut where they are', async () => {
  await using miniature = await loadEta();
  const request: EtaRequest = {
    prompt: 'Where is the banana in the picture?',
    image: new URL('../../models/miniature/pictures/clean-04.png', import.meta.url),
    seed: 1,
    method: 'vanilla',
  };
  const whole = await miniature.respond(request);
  const words = whole.text.split(' ');
  const { result } = await collect(miniature, { ...request, stop: [` ${words[2]} `, 'never said'] });
  assert.deepEqual([result.text, result.stopReason], [words.slice(0, 2).join(' '), 'sequence']);
  assert.equal(result.usage.answerTokenCount < whole.usage.answerTokenCount, true);
});

test('three at once, each with its own; an abort in the middle frees all', async () => {
  const whole = await eta.respond({ ...QUESTION, method: 'vanilla' });
  const stops = [whole.text.slice(4, 6), whole.text.slice(12, 15), 'never said'];
  const request = (stop: string): EtaRequest => ({ ...QUESTION, method: 'vanilla', stop });
  const alone: string[] = [];
  for (const stop of stops) alone.push((await eta.respond(request(stop))).text);
  const together = await Promise.all(stops.map((stop) => eta.respond(request(stop))));
  assert.deepEqual(
    together.map(({ text }) => text),
    alone,
  );
  const controller = new AbortController();
  await assert.rejects(
    async () => {
      const asked = { ...QUESTION, method: 'vanilla' as const, stop: 'never said', signal: controller.signal };
      for await (const { type } of eta.stream(asked)) if (type === 'text') controller.abort();
    },
    { code: 'ERR_ABORTED' },
  );
  await assertFreed(eta, 'aborted');
});

test('what is no stop text is refused with a sentence', async () => {
  for (const [stop, message] of [
    ['', /^request: stop: expected a text of 1 to 256 whole characters; received ""\.$/],
    [Array(17).fill('x'), /^request: stop: expected at most 16 texts; received an array of 17\.$/],
    [['x', ''], /^request: stop\.1: expected a text of 1 to 256 whole characters; received ""\.$/],
    ['x'.repeat(257), /^request: stop: expected a text/],
    [7, /^request: stop: expected a text of 1 to 256 whole characters, or an array of them; received 7\.$/],
    [['x', 7], /^request: stop\.1: .*; received 7\.$/],
    ['\ud800', /^request: stop: expected a text of 1 to 256 whole characters/],
    [[null], /^request: stop\.0: .*; received null\.$/],
  ] as const) {
    const request = { ...QUESTION, stop } as unknown as EtaRequest;
    await assert.rejects(async () => await eta.respond(request), { code: 'ERR_INVALID_OPTION', message });
  }
  await assert.rejects(loadEta({ stop: 'x' } as object), { code: 'ERR_UNKNOWN_OPTION' });
});

test('no stop texts are as none said', async () => {
  const { text } = await eta.respond({ ...QUESTION, method: 'vanilla' });
  assert.equal((await eta.respond({ ...QUESTION, method: 'vanilla', stop: [] })).text, text);
});

test('a name that others have for an option is known', async () => {
  for (const name of ['topP', 'top_p'])
    await assert.rejects(async () => await eta.respond({ ...QUESTION, [name]: 0.5 } as EtaRequest), {
      code: 'ERR_UNKNOWN_OPTION',
      message: /Did you mean 'answerTopP'\?/,
    });
});
