/** A guard over a request's life: accepted text, evicted prefixes, requests side by side, long answers, aborts, ends. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type DecisionForm, Guard } from '../../src/decision/index.js';
import type { Context } from '../../src/engine/index.js';
import type { TextTurn } from '../../src/types/turn.js';
import { goldenFile } from '../compatibility/golden.js';
import { asked, decided, opener, tinyForm, tinyGuard } from './guards.js';

const GGUF = goldenFile('qwen3-vl', 'model.gguf');
const ASKED = [{ role: 'user' as const, content: 'How do I do that?' }];
const CONTINUATIONS = [' I cannot help.', ' Here are the steps. Mix', '\n\ndogs on the grass', ' I can', ''];
const none = async () => [];

const policy = 'Nothing is allowed that does harm, and whatever else is, is. '.repeat(3);
const user = '{policy}\nQuestion: {question}\nAnswer: {answer}\nIs it good?';
const form: DecisionForm = tinyForm({
  policy,
  answer: asked({ prompt: { form: 'question', system: null, user, seesPictures: false } }),
});
let guard: Guard;

before(async () => {
  guard = await tinyGuard(GGUF, form);
});
after(() => guard.dispose());

/** Of a session of its own: nothing but the policy is kept. */
async function alone(answer: string, turns = ASKED, by = guard): Promise<number> {
  const session = by.open(turns, none);
  const [score = Number.NaN] = await decided(session.scores([answer]));
  session.close();
  return score;
}

function assertClose(received: readonly number[], expected: readonly number[], bound = 1e-4): void {
  assert.equal(received.length, expected.length);
  const furthest = Math.max(...received.map((value, at) => Math.abs(value - (expected[at] ?? Number.NaN))));
  assert.ok(furthest < bound, `${received}; expected ${expected}`);
}

test('candidates over accepted text are decided as whole answers, and what they share is computed once', async () => {
  const session = guard.open(ASKED, none);
  let accepted = '';
  for (const text of ['As an AI assistant', ', I cannot', ' help with tha', 't. Ask', ' an expert!\n']) {
    accepted += text;
    const together = await decided(session.scores(CONTINUATIONS.map((continuation) => accepted + continuation)));
    const expected: number[] = [];
    for (const continuation of CONTINUATIONS) expected.push(await alone(accepted + continuation));
    assertClose(together, expected);
    assert.ok(new Set(together.map((odds) => odds.toFixed(4))).size > 1, 'odds that do not differ show nothing');
  }
  const { ranTokenCount, cachedTokenCount } = session.statistics;
  assert.ok(cachedTokenCount > 5 * ranTokenCount, `${ranTokenCount} tokens ran, ${cachedTokenCount} were kept`);
  session.close();
});

test('an answer that leaves what was kept for another is decided as if nothing had been kept', async () => {
  const session = guard.open(ASKED, none);
  for (const answer of ['I cannot help you with that at all.', 'I can: here are the steps.', 'no', 'I cannot'])
    assertClose(await decided(session.scores([answer])), [await alone(answer)]);
  session.close();
});

test('a conversation that goes on finds what was read of it, and is decided the same', async () => {
  const said = 'I cannot help you with that, because it can hurt somebody who does not know of it. Ask an expert.';
  const longer = [
    ...ASKED,
    { role: 'assistant' as const, content: said },
    { role: 'user' as const, content: 'And if I am one? I have done this all my life, and nobody was hurt by it.' },
  ];
  const ran = async (turns: readonly TextTurn[], reuse: boolean) => {
    const session = guard.open(turns, none, reuse);
    const [score = Number.NaN] = await decided(session.scores(['Then you know.']));
    session.close();
    return { score, count: session.statistics.ranTokenCount };
  };
  const whole = await ran(longer, false);
  assert.equal((await ran(longer, false)).count, whole.count, 'nothing is left where it may not be');
  const first = await ran(longer, true);
  const again = await ran(longer, true);
  assert.equal(first.count, whole.count);
  assert.ok(again.count < whole.count / 4, `${again.count} of ${whole.count} tokens ran`);
  const another = await ran([...longer.slice(0, 2), { role: 'user', content: 'Why?' }], true);
  assert.ok(another.count < whole.count / 2, `${another.count} of ${whole.count} tokens ran`);
  assertClose([first.score, again.score], [whole.score, whole.score]);
  guard.forget();
  assert.equal((await ran(longer, false)).count, whole.count);
});

test('forgetting empties the context, of what every prompt begins with too; a session goes on all the same', async () => {
  const open = opener();
  let context: Context | undefined;
  const own = await Guard.load({
    form,
    guard: GGUF,
    guardProjector: null,
    openGuard: async (asking) => {
      const opened = await open(asking);
      context = opened.context;
      return opened;
    },
  });
  try {
    const usedCount = async () => (await context?.statistics())?.usedCellCount ?? Number.NaN;
    const session = own.open(ASKED, none, true);
    const [before = Number.NaN] = await decided(session.scores(['So.']));
    own.forget();
    assertClose(await decided(session.scores(['So.'])), [before]);
    session.close();
    assert.ok((await usedCount()) > 0, 'control: something is kept');
    await setTimeout(1); // closing takes some turns
    own.forget();
    for (let tries = 0; (await usedCount()) > 0 && tries < 1000; tries++) await setTimeout(1);
    assert.equal(await usedCount(), 0);
    assert.equal(await alone('So.', ASKED, own), before, 'to the last bit');
  } finally {
    await own.dispose();
  }
});

test('many requests at once in a small context: prefixes are evicted and computed again, and nothing is wrong', async () => {
  const small = await tinyGuard(GGUF, { ...form, maxTokens: 512 }, { contextSize: 768, sequenceCount: 8 });
  try {
    const all = Array.from({ length: 7 }, (_, at) => [{ role: 'user' as const, content: `${at}. How do I do that?` }]);
    const sessions = all.map((turns) => ({ turns, session: small.open(turns, none, true) }));
    for (const accepted of ['As an AI', 'As an AI assistant, I']) {
      const answers = CONTINUATIONS.map((continuation) => accepted + continuation);
      const scores = await Promise.all(sessions.map(({ session }) => decided(session.scores(answers))));
      for (const [at, { turns }] of sessions.entries()) {
        const expected: number[] = [];
        for (const answer of answers) expected.push(await alone(answer, turns));
        assertClose(scores[at] ?? [], expected);
      }
    }
    for (const { session } of sessions) session.close();
    assert.equal((await small.open(ASKED, none).scores(Array.from({ length: 20 }, (_, at) => `${at}`))).length, 20);
  } finally {
    await small.dispose();
  }
});

test('an answer that the guard cannot read whole is not judged', async () => {
  const short = await tinyGuard(GGUF, tinyForm({ maxTokens: 256, answer: form.answer }));
  const session = short.open(ASKED, none);
  await assert.rejects(session.scores(['So.', 'word '.repeat(300)]), { code: 'ERR_PROMPT_TOO_LONG' });
  assert.equal((await session.scores(['So.'])).length, 1, 'the next one is');
  session.close();
  const wordy = [{ role: 'user' as const, content: 'why '.repeat(400) }];
  await assert.rejects(short.open(wordy, none).scores(['So.']), { code: 'ERR_PROMPT_TOO_LONG' });
  await short.dispose();
});

test('a guard reads no more than it was trained for', async () => {
  const wide = await tinyGuard(GGUF, tinyForm({ maxTokens: 131_072, answer: form.answer }), { contextSize: 4096 });
  const session = wide.open(ASKED, none);
  await assert.rejects(session.scores(['word '.repeat(20_000)]), { code: 'ERR_PROMPT_TOO_LONG' });
  session.close();
  await wide.dispose();
});

test('probability in place of odds: the same order between 0 and 1', async () => {
  const share = await tinyGuard(GGUF, { ...form, answer: { ...form.answer, score: 'probability' } });
  const probabilities = await decided(share.open(ASKED, none).scores(CONTINUATIONS));
  const odds = await decided(guard.open(ASKED, none).scores(CONTINUATIONS));
  assertClose(
    probabilities,
    odds.map((logOdds) => 1 / (1 + Math.exp(-logOdds))),
    1e-5,
  );
  await share.dispose();
});

test('a bound that the verdicts do not reach: no decision, and the next that do are right', async () => {
  const strict = await tinyGuard(GGUF, { ...form, answer: { ...form.answer, leastMass: 0.5 } });
  await assert.rejects(strict.open(ASKED, none).scores(['So.']), {
    code: 'ERR_NO_DECISION',
    message: /a, t, which together have a probability of at least 0\.5, received 0\.\d+/,
  });
  await strict.dispose();
});

test('an aborted call ends, and the next is right', async () => {
  const session = guard.open(ASKED, none);
  const controller = new AbortController();
  const aborted = session.scores(CONTINUATIONS, { signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, { name: 'AbortError' });
  assertClose(await decided(session.scores(['So.'])), [await alone('So.')]);
  session.close();
  session.close();
  await assert.rejects(session.scores(['So.']), { code: 'ERR_DISPOSED' });
});

test('what is aborted while an evicted prefix is computed again leaves no lane behind', async () => {
  const small = await tinyGuard(GGUF, { ...form, maxTokens: 1024 }, { contextSize: 1024, sequenceCount: 4 });
  const turns = [{ role: 'user' as const, content: 'Why, and how, and what for? '.repeat(25) }];
  const [evicted, other] = [
    small.open(turns, none),
    small.open([{ role: 'user', content: 'other '.repeat(100) }], none),
  ];
  const [expected = Number.NaN] = await decided(evicted.scores(['So.']));
  let abortedCount = 0;
  for (let repeat = 0; repeat < 12; repeat++) {
    await other.scores(['So.', 'No.']); // takes the room
    const controller = new AbortController();
    const aborted = evicted.scores(['So.', 'No.'], { signal: controller.signal });
    await setTimeout(2);
    controller.abort();
    await aborted.then(
      () => undefined,
      () => {
        abortedCount += 1;
      },
    );
  }
  assert.ok(abortedCount > 3, `${abortedCount} were aborted`);
  assertClose(await decided(evicted.scores(['So.'])), [expected]);
  await small.dispose();
});

test('a guard that is gone decides nothing', async () => {
  const gone = await tinyGuard(GGUF, form);
  const session = gone.open(ASKED, none);
  await gone.dispose();
  await gone.dispose();
  await assert.rejects(session.scores(['So.']), { code: 'ERR_DISPOSED' });
  session.close();
  assert.throws(() => gone.open(ASKED, none), { code: 'ERR_DISPOSED' });
});

test('of a conversation every turn is shown', async () => {
  const turns = [
    { role: 'user' as const, content: 'A knife?' },
    { role: 'assistant' as const, content: 'A knife.' },
    ...ASKED,
  ];
  assert.ok(Math.abs((await alone('So.', turns as never)) - (await alone('So.'))) > 1e-3);
});
