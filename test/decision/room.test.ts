/** A guard in a context that just fits: prompts that part, candidates in turns, what all begin with, and who waits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { GuardPrompt } from '../../src/decision/guard-prompt.js';
import { Guard } from '../../src/decision/index.js';
import { type Context, Model } from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import { goldenFile } from '../compatibility/golden.js';
import { asked, decided, opener, tinyForm, tinyGuard } from './guards.js';

const GGUF = goldenFile('qwen3-vl', 'model.gguf');
const PROJECTOR = goldenFile('qwen3-vl', 'mmproj.gguf');
const CELLS = 1024;
const none = async () => [];
const question = (content: string) => [{ role: 'user' as const, content }];

/** What is asked about the picture has nothing of what is asked about the answer, pictures apart. */
const parting = tinyForm({
  maxTokens: CELLS,
  answer: asked({
    prompt: { form: 'question', system: null, user: 'Answer {answer} to {question}', seesPictures: true },
  }),
});

/** An answer with which the conversation has just so many tokens. */
async function answerOf(tokenCount: number, asking: string): Promise<string> {
  await using model = await Model.load({ modelPath: GGUF, projectorPath: PROJECTOR, threadCount: 1 });
  const prompt = new GuardPrompt(model, parting);
  const images = [await model.encodeImage(await decodeImage(goldenFile('qwen3-vl', 'exact.png')))];
  let answer = '';
  for (let step = 256; step > 0; ) {
    const longer = answer + 'x '.repeat(step);
    const parts = await prompt.parts(parting.answer, { turns: question(asking), images, answer: longer }, {});
    const count = parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);
    if (count === tokenCount) return longer;
    if (count < tokenCount) answer = longer;
    else step = Math.floor(step / 2);
  }
  assert.fail(`no answer gives ${tokenCount} tokens`);
}

const pictures = async () => [await decodeImage(goldenFile('qwen3-vl', 'exact.png'))];

async function scored(guard: Guard, asking: string, answer: string): Promise<number> {
  const session = guard.open(question(asking), pictures);
  const [score = Number.NaN] = await decided(session.scores([answer]));
  session.close();
  return score;
}

test('prompts about picture and answer that part fit one after the other where each fits alone, to the last cell', async () => {
  const asking = 'why '.repeat(150);
  const answer = await answerOf(CELLS, asking);
  const [small, wide] = [
    await tinyGuard(GGUF, parting, { projector: PROJECTOR, contextSize: CELLS }),
    await tinyGuard(GGUF, parting, { projector: PROJECTOR, contextSize: 4 * CELLS }),
  ];
  try {
    const session = small.open(question(asking), pictures);
    const before = await session.pictureScore();
    const [received = Number.NaN] = await decided(session.scores([answer]));
    assert.ok(Math.abs(received - (await scored(wide, asking, answer))) < 1e-4, `${received}`);
    assert.equal((await decided(session.scores([answer])))[0], received, 'once more');
    assert.ok(Math.abs((await session.pictureScore()) - before) < 1e-4);
    session.close();
  } finally {
    await small.dispose();
    await wide.dispose();
  }
});

test('candidates that fit in turns alone are decided in turns', async () => {
  const form = tinyForm({ maxTokens: CELLS });
  const [small, wide] = [
    await tinyGuard(GGUF, form, { contextSize: CELLS, sequenceCount: 4 }),
    await tinyGuard(GGUF, form, { contextSize: 16 * CELLS, sequenceCount: 32 }),
  ];
  try {
    const answers = Array.from({ length: 9 }, (_, at) => `${at} `.repeat(120));
    const of = async (guard: Guard) => await decided(guard.open(question('What?'), none).scores(answers));
    const [received, expected] = [await of(small), await of(wide)];
    for (const [at, score] of received.entries())
      assert.ok(Math.abs(score - (expected[at] ?? Number.NaN)) < 1e-4, `${score}, expected ${expected[at]}`);
  } finally {
    await small.dispose();
    await wide.dispose();
  }
});

const policy = 'Nothing is allowed that does harm, and whatever else is, is. '.repeat(6);
const withPolicy = tinyForm({
  policy,
  maxTokens: CELLS,
  answer: asked({
    prompt: { form: 'question', system: null, user: '{policy}\n{question}\n{answer}', seesPictures: false },
  }),
  picture: {
    ...asked({}),
    prompt: { form: 'question', system: null, user: 'Look: {question}', seesPictures: true },
  },
});

interface Watched {
  readonly guard: Guard;
  /** Rows that were computed so far, whoever asked for them. */
  rows(): Promise<number>;
}

async function watched(contextSize: number, form = withPolicy): Promise<Watched> {
  let context: Context | undefined;
  const guard = await Guard.load({
    form,
    guard: GGUF,
    guardProjector: PROJECTOR,
    openGuard: async (files) => {
      const opened = await opener({ contextSize })(files);
      context = opened.context;
      return opened;
    },
  });
  return { guard, rows: async () => (await context?.statistics())?.rowCount ?? Number.NaN };
}

/** Rows that the first answer of a new session takes, those of the policy included where it is not there. */
async function rowsOfFirst({ guard, rows }: Watched): Promise<number> {
  const before = await rows();
  const session = guard.open(question('So what?'), none);
  await session.scores(['That.']);
  session.close();
  return (await rows()) - before;
}

test('what all prompts begin with outlives whatever else is kept, and is computed anew once it had to give way', async () => {
  const on = await watched(CELLS);
  const { guard } = on;
  try {
    const [withIt, own] = [await rowsOfFirst(on), await rowsOfFirst(on)];
    assert.ok(withIt > own + 200, `${withIt} rows with the policy, ${own} without it`);
    const sessions = ['One', 'Two'].map((asking) => guard.open(question(asking), none));
    for (const answer of ['So. '.repeat(40), 'So. '.repeat(100), 'So. '.repeat(180)])
      for (const session of sessions) await session.scores([answer]);
    for (const session of sessions) session.close();
    assert.equal(await rowsOfFirst(on), own, 'others took its room');
    const other = guard.open(question('why '.repeat(300)), pictures);
    await other.pictureScore(); // begins otherwise, and takes all the room
    other.close();
    assert.equal(await rowsOfFirst(on), withIt, 'something else gave way');
    assert.equal(await rowsOfFirst(on), own, 'it was not kept again');
  } finally {
    await guard.dispose();
  }
});

test('who is stopped while others are at work is told at once; what comes later is decided, and nothing is left', async () => {
  const on = await watched(12 * CELLS, { ...withPolicy, maxTokens: 4 * CELLS });
  const { guard } = on;
  try {
    await rowsOfFirst(on);
    const before = await on.rows();
    let isFirstDone = false;
    const first = decided(guard.open(question('First'), none).scores(['how '.repeat(1800)])).finally(() => {
      isFirstDone = true;
    });
    while ((await on.rows()) === before) await Promise.race([setTimeout(1), first]);
    const controller = new AbortController();
    const session = guard.open(question('Second'), none);
    const [stopped, queued] = [1, 2].map(() => session.scores(['So.'], { signal: controller.signal }));
    const later = decided(guard.open(question('Third'), none).scores(['So.']));
    await setTimeout(10); // they have their prompts, and wait
    controller.abort();
    await Promise.all([stopped, queued].map((call) => assert.rejects(call ?? first, { name: 'AbortError' })));
    assert.equal(isFirstDone, false, 'it heard the signal only in its turn');
    const [one] = await later;
    const [again] = await decided(guard.open(question('Third'), none).scores(['So.']));
    assert.ok(Math.abs((one ?? Number.NaN) - (again ?? Number.NaN)) < 1e-4);
    assert.equal((await first).length, 1);
    assert.equal((await decided(session.scores(['So.']))).length, 1, 'the session goes on');
  } finally {
    await guard.dispose();
  }
});

test('whoever stops waiting for what all begin with stops alone', async () => {
  const on = await watched(CELLS);
  const { guard } = on;
  try {
    const controller = new AbortController();
    const stopped = guard.open(question('So what?'), none).scores(['That.'], { signal: controller.signal });
    const other = guard.open(question('What?'), none).scores(['That.']);
    controller.abort();
    await assert.rejects(stopped, { name: 'AbortError' });
    assert.equal((await decided(other)).length, 1);
    assert.ok((await rowsOfFirst(on)) < 200, 'the policy is computed again');
  } finally {
    await guard.dispose();
  }
});

test('candidates of which no decision comes are told from those that are decided', async () => {
  const answers = ['So.', 'I cannot help.', 'Here are the steps: mix', 'dogs', 'xyz'];
  const of = async (leastMass: number) => await tinyGuard(GGUF, tinyForm({ answer: asked({ leastMass }) }));
  const strict = await of(1);
  const session = strict.open(question('What?'), none);
  const masses: number[] = [];
  for (const answer of answers) {
    const told = await session.scores([answer]).catch((error: Error) => error.message);
    masses.push(Number(/received ([\d.e-]+):/.exec(String(told))?.[1]));
  }
  await assert.rejects(session.scores(answers), { code: 'ERR_NO_DECISION' }, 'none is decided');
  await strict.dispose();
  const ordered = masses.toSorted((a, b) => a - b);
  const bound = ((ordered[1] ?? 0) + (ordered[2] ?? 0)) / 2;
  assert.ok((ordered[2] ?? 0) > 1.02 * (ordered[1] ?? 0), `${masses} are too much alike`);
  const [lenient, some] = [await of(0), await of(bound)];
  const all = await decided(lenient.open(question('What?'), none).scores(answers));
  const received = await some.open(question('What?'), none).scores(answers);
  for (const [at, score] of received.entries()) {
    assert.equal(score === null, (masses[at] ?? 0) < bound, `${answers[at]}: ${score}`);
    if (score !== null) assert.ok(Math.abs(score - (all[at] ?? Number.NaN)) < 1e-5);
  }
  await lenient.dispose();
  await some.dispose();
});
