/** Questions on forks of one prefix: of the miniature what it says, of random models the numbers of straight runs. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WordTokens } from '../../src/decision/index.js';
import { type Context, EncodedImages, Model, type NativePart } from '../../src/engine/index.js';
import { runDecide } from '../../src/eta/decide.js';
import { parseDecide } from '../../src/eta/decide-request.js';
import { answersOf, worded } from '../../src/eta/decide-words.js';
import { KnownPictures } from '../../src/eta/known-pictures.js';
import { decodeImage } from '../../src/image/index.js';
import { type DecideQuestion, type DecideRequest, type Eta, loadEta, type PictureForm } from '../../src/index.js';
import type { NativeImage } from '../../src/native/image-types.js';
import { goldenFile } from '../compatibility/golden.js';
import { EXACT } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { assertFreed } from './tiny.js';

const picture = (name: string) => fileURLToPath(new URL(`../../models/miniature/pictures/${name}`, import.meta.url));
const BANANA = picture('clean-04.png');
const isThere = (what: string): DecideQuestion => ({
  type: 'predicate',
  question: `Is there a ${what} in the picture?`,
});
const COUNT: DecideQuestion = { type: 'score', question: 'How many bananas are in the picture?', from: 0, to: 5 };

describe('the miniature', () => {
  let eta: Eta;
  before(async () => {
    eta = await loadEta({ onNotice: () => undefined });
  });
  after(() => eta.dispose());

  test('what is in the picture is likelier than what is not', async () => {
    const { decisions, usage, model } = await eta.decide({
      image: BANANA,
      questions: [isThere('banana'), isThere('apple')],
    });
    assert.equal(model, 'eta-vlm miniature');
    const [banana, apple] = decisions;
    assert.ok(banana?.type === 'predicate' && apple?.type === 'predicate');
    assert.ok((banana.probability ?? 0) > 0.9 && banana.mass > 0.5, JSON.stringify(banana));
    assert.ok((apple.probability ?? 1) < 0.1, JSON.stringify(apple));
    assert.deepEqual([usage.sampledTokenCount, usage.answerTokenCount], [0, 0]);
    // Nothing of it stands in the question alone.
    const other = await eta.decide({ image: picture('clean-01.jpg'), questions: [isThere('banana')] });
    assert.notDeepEqual(other.decisions[0], banana);
  });

  test('of several choices the likeliest is told, and all together are one', async () => {
    const choices = ['It', 'The', 'I'];
    const question: DecideQuestion = { type: 'choice', question: 'Where is the banana in the picture?', choices };
    const [begins] = (await eta.decide({ image: BANANA, questions: [question] })).decisions;
    assert.ok(begins?.type === 'choice' && begins.mass > 0.5);
    const probabilities = begins.probabilities ?? [];
    assert.equal(probabilities.length, 3);
    assert.equal(begins.probability, Math.max(...probabilities));
    assert.equal(begins.choice, choices[probabilities.indexOf(Math.max(...probabilities))]);
    assert.ok(Math.abs(probabilities.reduce((all, one) => all + one, 0) - 1) < 1e-9);
  });

  test('what it does not answer is null beside what it does, and an error alone', async () => {
    const { decisions } = await eta.decide({ image: BANANA, questions: [COUNT, isThere('banana')] });
    const [count, banana] = decisions;
    assert.ok(count?.type === 'score' && banana?.type === 'predicate');
    assert.deepEqual([count.score, count.probability, count.probabilities], [null, null, null]);
    assert.ok(count.mass < 0.5 && banana.mass > 0.5 && banana.probability !== null);
    await assert.rejects(eta.decide({ image: BANANA, questions: [COUNT] }), {
      name: 'EvaluatorError',
      code: 'ERR_NO_DECISION',
      message:
        /at least 0\.5, received \S+ at most: it does not answer the question\. What it would say instead begins with "/,
    });
    await assertFreed(eta, 'undecided');
  });

  test('questions share what they share, and are decided in one step; a later one finds the picture read', async () => {
    await eta.forget();
    const questions = ['banana', 'apple', 'tree', 'cup'].map(isThere);
    const before = await eta.statistics();
    const first = await eta.decide({ image: BANANA, questions });
    const middle = await eta.statistics();
    assert.equal(first.usage.cachedTokenCount, 0);
    const rows = middle.rowCount - before.rowCount;
    assert.equal(rows, first.usage.promptTokenCount + first.usage.rewardTokenCount, 'what all share is read once');
    const again = await eta.decide({ image: BANANA, questions });
    assert.equal(again.usage.cachedTokenCount, again.usage.promptTokenCount);
    const after = await eta.statistics();
    assert.equal(after.rowCount - middle.rowCount, again.usage.rewardTokenCount);
    assert.equal(after.stepCount - middle.stepCount, Math.ceil(again.usage.rewardTokenCount / 128), 'all in one batch');
    const second = await eta.decide({ image: BANANA, questions: [isThere('lamp')] });
    assert.ok(second.usage.cachedTokenCount >= first.usage.imageTokenCount, JSON.stringify(second.usage));
    await assertFreed(eta, 'decided');
    await eta.forget();
    assert.equal((await eta.statistics()).liveSequenceCount, 0);
  });

  test('three at once as each alone; an abort in the middle frees all', async () => {
    const of = async (what: string) =>
      (await eta.decide({ image: BANANA, questions: [isThere(what)], reuse: false })).decisions[0] ?? assert.fail();
    const whats = ['banana', 'apple', 'lamp'];
    const together = await Promise.all(whats.map(of));
    for (const [at, what] of whats.entries()) {
      const [one, other] = [await of(what), together[at]];
      assert.ok(one.type === 'predicate' && other?.type === 'predicate');
      assert.ok(Math.abs((one.probability ?? 0) - (other.probability ?? 0)) < 1e-2, `${what}: ${one.probability}`);
    }
    await assert.rejects(eta.decide({ questions: [COUNT], signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
    const controller = new AbortController();
    const late = eta.decide({ image: BANANA, questions: [COUNT, COUNT], reuse: false, signal: controller.signal });
    setTimeout(() => controller.abort(), 30);
    await assert.rejects(late, { code: 'ERR_ABORTED' });
    await assertFreed(eta, 'aborted');
  });

  test('what cannot be asked is refused with a sentence', async () => {
    const choice = { type: 'choice' as const, question: 'Which?' };
    const long = Array<DecideQuestion>(65).fill(COUNT);
    for (const [request, code, message] of [
      [{ questions: [] }, 'ERR_INVALID_OPTION', /questions: expected at least one question/],
      [{ questions: long }, 'ERR_INVALID_OPTION', /expected at most 64 questions/],
      [{ questions: [{ type: 'other', question: '?' }] }, 'ERR_INVALID_OPTION', /expected a question of type/],
      [{ questions: [{ type: 'predicate', question: ' ' }] }, 'ERR_INVALID_OPTION', /expected a question of 1 to 8192/],
      [{ questions: [{ ...choice, choices: ['a'] }] }, 'ERR_INVALID_OPTION', /expected 2 to 26 choices/],
      [{ questions: [{ ...choice, choices: ['A', ' a'] }] }, 'ERR_INVALID_REQUEST', /choices that read differently/],
      [
        { questions: [{ ...COUNT, to: 11 }] },
        'ERR_INVALID_REQUEST',
        /a score of 2 to 11 values, received one from 0 to 11/,
      ],
      [{ questions: [{ ...COUNT, to: 0 }] }, 'ERR_INVALID_REQUEST', /a score of 2 to 11 values/],
      [{ questions: [{ ...COUNT, from: 0.5 }] }, 'ERR_INVALID_OPTION', /from: expected an integer/],
      [{ questions: [COUNT], seed: 1 }, 'ERR_UNKNOWN_OPTION', /unknown option 'seed'/],
      [{ questions: [COUNT], prompt: 'x', turns: [] }, 'ERR_INVALID_REQUEST', /expected turns or prompt/],
    ] as const)
      await assert.rejects(eta.decide(request as unknown as DecideRequest), { code, message });
  });

  test('dispose ends it', async () => {
    const gone = await loadEta({ onNotice: () => undefined, method: 'vanilla' });
    const running = gone.decide({ image: BANANA, questions: [isThere('banana')] });
    const ended = assert.rejects(running, { code: 'ERR_DISPOSED' });
    await gone.dispose();
    await ended;
    await assert.rejects(gone.decide({ questions: [COUNT] }), { code: 'ERR_DISPOSED' });
  });
});

/** A random model of an original class, asked with no bound of what counts as an answer. */
interface Asked {
  readonly model: Model;
  readonly context: Context;
  decide(request: DecideRequest, leastMass?: number, pictureForm?: PictureForm): ReturnType<typeof runDecide>;
}

async function random(
  name: string,
  work: (asked: Asked) => Promise<void>,
  most: { readonly contextSize?: number; readonly sequenceCount?: number } = {},
): Promise<void> {
  await using model = await Model.load({
    modelPath: name === 'tiny-chat' ? golden('tiny-chat.gguf') : goldenFile(name, 'model.gguf'),
    projectorPath: name === 'tiny-chat' ? golden('tiny-projector.gguf') : goldenFile(name, 'mmproj.gguf'),
    threadCount: 1,
  });
  await using context = await model.createContext({ ...EXACT, ...most });
  const own = { images: new EncodedImages(model), files: new KnownPictures(), words: new WordTokens(model) };
  const parts = { model, context, onNotice: null, ...own };
  const { signal } = new AbortController();
  await work({
    model,
    context,
    decide: (request, leastMass = 0, pictureForm = 'rows') =>
      runDecide(parts, parseDecide(request, { reuse: true, exact: false, policy: { pictureForm } }), signal, leastMass),
  });
}

/** Probabilities of the answers by a run of its own, all in double: of the tokens whose text is the word, blanks aside. */
async function expectedOf(model: Model, prompt: readonly NativePart[], words: readonly string[]) {
  await using context = await model.createContext(EXACT);
  await using lease = await context.reserve({ cellCount: 1024, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  await sequence.prefill(prompt);
  const logits = Array.from(await sequence.logits());
  const highest = Math.max(...logits);
  const shares = logits.map((logit) => Math.exp(logit - highest));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const masses = words.map((word) =>
    shares.reduce(
      (sum, share, token) => sum + (model.text([token]).trim().toLowerCase() === word.toLowerCase() ? share : 0),
      0,
    ),
  );
  const mass = masses.reduce((sum, one) => sum + one, 0);
  return { mass: mass / whole, probabilities: masses.map((one) => one / mass) };
}

const near = (received: number | null | undefined, expected: number | undefined, what: string) =>
  assert.ok(
    Math.abs((received ?? Number.NaN) - (expected ?? Number.NaN)) < 1e-4,
    `${what}: ${received}, expected ${expected}`,
  );

for (const name of ['qwen3-vl', 'tiny-chat']) {
  test(`${name}: probabilities are those of a straight run of the same prompt`, async () => {
    await random(name, async ({ model, decide }) => {
      const image = golden('square.png');
      const questions: DecideQuestion[] = [
        { type: 'choice', question: 'Which?', choices: ['a', 't', 's'] },
        { type: 'choice', question: 'Which is it?', choices: ['s', 'a'] },
        { type: 'score', question: 'How many?', from: 1, to: 3 },
      ];
      const { decisions, usage } = await decide({ image, prompt: 'This is it.', questions });
      const images = [await model.encodeImage(await decodeImage(image))];
      const asked = [
        'Which?\nAnswer with one of these alone: a, t, s.',
        'Which is it?\nAnswer with one of these alone: s, a.',
        'How many?\nAnswer with a whole number from 1 to 3 alone.',
      ];
      assert.equal(decisions.length, questions.length);
      for (const [at, decision] of decisions.entries()) {
        const prompt = await model.prompt([{ role: 'user', text: `This is it.\n\n${asked[at]}`, images }]);
        const words = answersOf(questions[at] as DecideQuestion);
        const expected = await expectedOf(model, prompt, words);
        near(decision.mass, expected.mass, `mass of ${at}`);
        assert.ok(decision.type !== 'predicate');
        for (const [place, one] of expected.probabilities.entries())
          near(decision.probabilities?.[place], one, `${at}.${place}`);
        if (decision.type === 'score')
          near(
            decision.score,
            expected.probabilities.reduce((sum, share, value) => sum + share * (value + 1), 0),
            'expectation',
          );
      }
      assert.equal(usage.imageTokenCount, images[0]?.tokenCount);
      assert.ok(usage.promptTokenCount > usage.imageTokenCount);
    });
  });
}

test('a picture is shown in the form that was said at loading', async () => {
  await random('tiny-chat', async ({ model, decide }) => {
    const image = golden('square.png');
    const rows = await model.encodeImage(await decodeImage(image));
    const text = 'Which?\nAnswer with one of these alone: a, t.';
    const expectedOn = async (picture: NativeImage) =>
      await expectedOf(model, await model.prompt([{ role: 'user', text, images: [picture] }]), ['a', 't']);
    const [asText, asRows] = [await expectedOn(await model.nearestText(rows)), await expectedOn(rows)];
    const question: DecideQuestion = { type: 'choice', question: 'Which?', choices: ['a', 't'] };
    const [decision] = (await decide({ image, questions: [question] }, 0, 'nearestText')).decisions;
    assert.ok(decision?.type === 'choice');
    const [said = Number.NaN] = decision.probabilities ?? [];
    const off = ([expected = Number.NaN]: readonly number[]) => Math.abs(said - expected);
    near(said, asText.probabilities[0], 'as text');
    assert.ok(off(asRows.probabilities) > 2 * off(asText.probabilities), 'control: rows say something else');
  });
});

test('answers that begin alike are lettered, others are asked in their words', async () => {
  await random('qwen3-vl', async ({ model }) => {
    const { signal } = new AbortController();
    const words = new WordTokens(model);
    const [own, alike, ten] = await worded(
      [
        { type: 'choice', question: 'Q', choices: ['a', 't'] },
        { type: 'choice', question: 'Q', choices: ['xyzzy plover', 'xyzzy plugh'] },
        { type: 'score', question: 'Q', from: -1, to: 9 },
      ],
      { model, words, isBehindBlank: false, signal },
    );
    assert.equal(own?.text, 'Q\nAnswer with one of these alone: a, t.');
    assert.equal(alike?.text, 'Q\nA. xyzzy plover\nB. xyzzy plugh\nAnswer with the letter alone.');
    assert.match(ten?.text ?? '', /^Q\n(A\. -1\n.*K\. 9\nAnswer with the letter alone\.|Answer with a whole number)/s);
    for (const { tokens } of [own, alike, ten] as { tokens: readonly Int32Array[] }[]) {
      const all = tokens.flatMap((one) => [...one]);
      assert.equal(new Set(all).size, all.length, 'no token is in two answers');
    }
    assert.deepEqual(
      alike?.tokens.map((tokens) => [...tokens].every((token) => /^\s*[ab]\s*$/i.test(model.text([token])))),
      [true, true],
    );
  });
});

test('behind a blank the answers are asked in their words too, where none begins with a blank of its own', async () => {
  await using miniature = await Model.load({ modelPath: picture('../language-model.gguf') });
  const words = new WordTokens(miniature);
  const { signal } = new AbortController();
  const questions: DecideQuestion[] = [
    { type: 'predicate', question: 'Q' },
    { type: 'choice', question: 'Q', choices: ['yes', 'banana'] },
  ];
  for (const isBehindBlank of [true, false]) {
    const asked = await worded(questions, { model: miniature, words, isBehindBlank, signal });
    for (const [at, answers] of questions.map(answersOf).entries()) {
      const apart = await Promise.all(answers.map((answer) => words.isApart(answer)));
      assert.deepEqual(apart, [false, false], `the control: ${answers}`);
      assert.doesNotMatch(asked[at]?.text ?? '', /letter/, `${answers}, ${isBehindBlank}`);
    }
  }
});

test('behind an answer the question is the next turn', async () => {
  await random('qwen3-vl', async ({ model, decide }) => {
    const turns = [
      { role: 'system' as const, text: 'Be brief.' },
      { role: 'user' as const, text: 'What is it?' },
      { role: 'assistant' as const, text: 'A square.' },
    ];
    const question: DecideQuestion = { type: 'choice', question: 'Sure?', choices: ['a', 't'] };
    const { decisions } = await decide({ turns, questions: [question] });
    const text = 'Sure?\nAnswer with one of these alone: a, t.';
    const expected = await expectedOf(model, await model.prompt([...turns, { role: 'user', text }]), ['a', 't']);
    assert.ok(decisions[0]?.type === 'choice');
    near(decisions[0].probabilities?.[0], expected.probabilities[0], 'first');
    assert.equal(decisions[0].choice, (expected.probabilities[0] ?? 0) >= 0.5 ? 'a' : 't');
  });
});

test('more questions than lanes or cells are asked in turn, each as alone; one that has no room is refused', async () => {
  const choice = (at: number): DecideQuestion => ({
    type: 'choice',
    question: `${'Which of them is it? '.repeat(3)}${at}`,
    choices: ['a', 't'],
  });
  const questions = Array.from({ length: 20 }, (_, at) => choice(at));
  for (const most of [{ contextSize: 512 }, { contextSize: 2048, sequenceCount: 2 }]) {
    await random(
      'qwen3-vl',
      async ({ context, decide }) => {
        const { decisions } = await decide({ prompt: 'It.', questions });
        for (const at of [0, 7, 8, 19]) {
          const alone = await decide({ prompt: 'It.', questions: [choice(at)] });
          const [one, other] = [decisions[at], alone.decisions[0]];
          assert.ok(one?.type === 'choice' && other?.type === 'choice');
          near(one.probabilities?.[0], other.probabilities?.[0], `${at}`);
        }
        const huge: DecideQuestion = { type: 'predicate', question: 'word '.repeat(1200) };
        await assert.rejects(decide({ questions: [huge] }), { code: 'ERR_PROMPT_TOO_LONG' });
        await assert.rejects(decide({ prompt: 'It.', questions: [choice(1), huge] }), { code: 'ERR_PROMPT_TOO_LONG' });
        const { liveSequenceCount, keptSequenceCount } = await context.statistics();
        assert.equal(liveSequenceCount, keptSequenceCount);
      },
      most,
    );
  }
});

test('questions that share little fill the cells before the lanes: as many at once as just fit', async () => {
  const choice = (at: number): DecideQuestion => ({
    type: 'choice',
    question: `${at} ${'or another of them '.repeat(8)}?`,
    choices: ['a', 't'],
  });
  const questions = Array.from({ length: 8 }, (_, at) => choice(at));
  await random(
    'qwen3-vl',
    async ({ context, decide }) => {
      const { decisions, usage } = await decide({ questions, reuse: false });
      const each = Math.ceil(usage.rewardTokenCount / questions.length);
      assert.ok(
        usage.promptTokenCount + 8 * each > 512 && usage.promptTokenCount + 2 * each < 512,
        `${each} tokens each`,
      );
      for (const at of [0, 3, 7]) {
        const [alone] = (await decide({ questions: [choice(at)], reuse: false })).decisions;
        const one = decisions[at];
        assert.ok(one?.type === 'choice' && alone?.type === 'choice');
        near(one.probabilities?.[0], alone.probabilities?.[0], `${at}`);
      }
      assert.equal((await context.statistics()).liveSequenceCount, 0);
    },
    { contextSize: 512 },
  );
});

test('the bound is what parts decided from not', async () => {
  await random('qwen3-vl', async ({ decide }) => {
    const questions: DecideQuestion[] = [
      { type: 'choice', question: 'Which?', choices: ['a', 't', 's', 'e', 'o'] },
      { type: 'choice', question: 'Which?', choices: ['a', 't'] },
    ];
    const { decisions } = await decide({ questions });
    const masses = decisions.map(({ mass }) => mass).sort((a, b) => a - b) as [number, number];
    const between = (masses[0] + masses[1]) / 2;
    const parted = await decide({ questions }, between);
    assert.deepEqual(
      parted.decisions.map(({ mass, probability }) => mass >= between === (probability !== null)),
      [true, true],
    );
    assert.equal(parted.decisions.filter(({ probability }) => probability === null).length, 1);
    await assert.rejects(decide({ questions }, masses[1] + 1e-3), { code: 'ERR_NO_DECISION' });
  });
});
