/** Every way a request can take, on the tiny models. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Eta, EtaResult, Method } from '../../src/index.js';
import { BEST_OF_N_PROMPT, POST_EVALUATION_PROMPT, REFUSAL_TEXT } from '../../src/policy/index.js';
import { assertFreed, CLEAN, collect, FLAGGED_SAFE, loadTiny, pictures, QUESTION, UNSAFE } from './tiny.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(() => eta.dispose());

const PREFIX = 'As an AI assistant';

/** The kinds of event in order, repeats as one. */
const course = (types: readonly string[]) => types.filter((type, i) => type !== types[i - 1]).join(' ');

test('a clean picture: the answer streams, and no reward model is asked', async () => {
  await eta.respond({ ...QUESTION, thresholds: CLEAN }); // from here on CLIP knows the picture, and holds nothing back
  const { types, pieces, result } = await collect(eta, { ...QUESTION, thresholds: CLEAN });
  assert.equal(course(types), 'picture text verdict done');
  assert.ok(pieces.length > 1, `streamed in ${pieces.length} pieces`);
  const { picture, ...verdict } = result.verdict;
  const { score = Number.NaN, ...judged } = picture ?? {};
  assert.ok(Math.abs(score) < 1, `${score}`);
  assert.deepEqual(judged, {
    evaluator: 'clip',
    threshold: CLEAN.unsafeClipScore,
    isUnsafe: false,
    isCalibrated: false,
    calibratedOn: null,
  });
  assert.deepEqual(verdict, { action: 'answered', answer: null, final: null });
  assert.equal(result.trace.vanillaText, result.text);
  assert.equal(result.trace.alignedText, null);
  assert.deepEqual(result.trace.rounds, []);
  assert.equal(result.usage.rewardTokenCount, 0);
  const { imageTokenCount, promptTokenCount } = result.usage;
  assert.ok(imageTokenCount > 0 && promptTokenCount > imageTokenCount, `${imageTokenCount} of ${promptTokenCount}`);
  assert.equal(result.usage.sampledTokenCount, result.usage.answerTokenCount);
  const { firstTextMs, totalMs } = result.timings;
  assert.ok(firstTextMs > 0 && firstTextMs < totalMs, `${firstTextMs} of ${totalMs} ms`);
  assert.equal(result.timings.rewardMs, 0);
});

test('a flagged picture with a safe answer: held back until the reward, then given out whole', async () => {
  const { types, pieces, result } = await collect(eta, { ...QUESTION, thresholds: FLAGGED_SAFE });
  assert.equal(course(types), 'picture vanilla answer text verdict done');
  assert.equal(pieces.length, 1);
  assert.equal(result.verdict.action, 'answered');
  assert.deepEqual([result.verdict.picture?.isUnsafe, result.verdict.answer?.isUnsafe], [true, false]);
  assert.notEqual(result.usage.rewardTokenCount, 0);
  const clean = await eta.respond({ ...QUESTION, thresholds: CLEAN });
  assert.equal(result.text, clean.text, 'the answer is the one that the model gives without ETA');
});

test('both unsafe, and the aligned answer too: refused with the sentence of the caller', async () => {
  const { types, pieces, result } = await collect(eta, {
    ...QUESTION,
    thresholds: UNSAFE,
    refusalText: ' No, sorry. ',
  });
  assert.equal(course(types), 'picture vanilla answer round text verdict done');
  assert.deepEqual(pieces, ['No, sorry.']);
  assert.equal(result.verdict.action, 'refused');
  assert.notEqual(result.verdict.final?.score, null);
  assert.equal(result.trace.alignedText?.slice(0, PREFIX.length), PREFIX);
  assert.ok(result.trace.rounds.length > 1, `${result.trace.rounds.length} rounds`);
  assert.equal((await eta.respond({ ...QUESTION, thresholds: UNSAFE })).text, REFUSAL_TEXT);
});

test('whenStillUnsafe: return gives the aligned answer out, sentence by sentence', async () => {
  const request = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' as const };
  const { types, pieces, result } = await collect(eta, request);
  assert.match(course(types), /^picture vanilla answer text (round text )+verdict done$/);
  assert.equal(pieces[0], PREFIX);
  assert.equal(result.verdict.action, 'aligned');
  assert.equal(result.text, result.trace.alignedText);
  const chosen = result.trace.rounds.map(({ candidates, chosen }) => candidates[chosen]);
  assert.equal(result.text, (PREFIX + chosen.map((candidate) => candidate?.text).join('')).trim());
  const tokenCount = chosen.reduce((sum, candidate) => sum + (candidate?.tokenCount ?? 0), 0);
  assert.ok(result.usage.answerTokenCount > tokenCount, 'the prefix counts');
});

test('an aligned answer that is safe is given out', async () => {
  const reward = (await aligned('return')).verdict.answer?.score ?? assert.fail('no reward');
  const seed = await seedThatImproves();
  const { pieces, result } = await collect(eta, {
    ...QUESTION,
    seed,
    thresholds: { unsafeClipScore: -1, safeReward: reward },
  });
  assert.equal(result.verdict.action, 'aligned');
  assert.equal(result.verdict.answer?.isUnsafe, true, 'a reward that hits the threshold is unsafe');
  assert.ok((result.verdict.final?.score ?? 0) > reward, `${result.verdict.final?.score}, ${reward}`);
  assert.deepEqual(pieces, [result.trace.alignedText]);
});

async function aligned(whenStillUnsafe: 'refuse' | 'return', seed = 11): Promise<EtaResult> {
  return await eta.respond({ ...QUESTION, seed, thresholds: UNSAFE, whenStillUnsafe });
}

/** A seed whose aligned answer has a higher reward than the model's own. */
async function seedThatImproves(): Promise<number> {
  for (let seed = 0; seed < 40; seed++) {
    const { verdict } = await aligned('return', seed);
    if ((verdict.final?.score ?? 0) > (verdict.answer?.score ?? 0)) return seed;
  }
  throw new assert.AssertionError({ message: 'no seed improves the reward' });
}

test('the thresholds are hit exactly: >= for the picture, > for the answer', async () => {
  const { verdict } = await eta.respond({ ...QUESTION, thresholds: FLAGGED_SAFE });
  const clipScore = verdict.picture?.score ?? assert.fail('no CLIP score');
  const reward = verdict.answer?.score ?? assert.fail('no reward');
  const decide = async (unsafeClipScore: number, safeReward: number) => {
    const { verdict } = await eta.respond({ ...QUESTION, thresholds: { unsafeClipScore, safeReward } });
    return [verdict.picture?.isUnsafe, verdict.answer?.isUnsafe ?? null];
  };
  assert.deepEqual(await decide(clipScore, reward), [true, true]);
  assert.deepEqual(await decide(clipScore, reward - 1e-9), [true, false]);
  assert.deepEqual(await decide(clipScore + 1e-9, reward), [false, null]);
});

/** Whether the picture and the answer are found unsafe, to what is done: the AND gate and each side alone. */
const GATE: readonly (readonly [Method, image: boolean, answer: boolean, action: string, asked: string])[] = [
  ['vanilla', true, true, 'answered', ''],
  ['pre', false, true, 'answered', 'picture'],
  ['pre', true, false, 'aligned', 'picture'],
  ['post', true, false, 'answered', 'answer'],
  ['post', false, true, 'aligned', 'answer'],
  ['eta', false, false, 'answered', 'picture'],
  ['eta', false, true, 'answered', 'picture'],
  ['eta', true, false, 'answered', 'picture answer'],
  ['eta', true, true, 'aligned', 'picture answer'],
  ['shallow', false, true, 'answered', 'picture'],
  ['shallow', true, true, 'aligned', 'picture answer'],
  ['deep', true, false, 'answered', 'picture answer'],
  ['deep', true, true, 'aligned', 'picture answer'],
];

for (const [method, image, answer, action, asked] of GATE) {
  test(`${method}: picture ${image ? 'unsafe' : 'safe'}, answer ${answer ? 'unsafe' : 'safe'}: ${action}`, async () => {
    const { types, result } = await collect(eta, {
      ...QUESTION,
      method,
      whenStillUnsafe: 'return',
      thresholds: { unsafeClipScore: image ? -1 : 1, safeReward: answer ? 1e6 : -1e6 },
    });
    assert.equal(result.verdict.action, action);
    assert.equal(types.filter((type) => type === 'picture' || type === 'answer').join(' '), asked);
    assert.equal(result.trace.method, method);
    assert.equal(result.trace.vanillaText === null, method === 'pre' && action === 'aligned');
    assert.equal(result.trace.alignedText !== null, action === 'aligned');
    assert.equal(result.trace.rounds.length > 0, action === 'aligned' && method !== 'shallow');
    const usesPrefix = method !== 'deep' && method !== 'vanilla';
    assert.equal(result.trace.interferencePrefix, usesPrefix ? PREFIX : '');
    if (action === 'aligned') assert.equal(result.text.startsWith(PREFIX), usesPrefix);
    await assertFreed(eta, method);
  });
}

test('post: CLIP does not gate, but its score counts in the rounds', async () => {
  const { verdict, trace } = await eta.respond({ ...QUESTION, method: 'post', thresholds: UNSAFE });
  assert.equal(verdict.picture, null);
  const scores = trace.rounds.flatMap(({ candidates }) => candidates.map(({ clipScore }) => clipScore));
  assert.notEqual(scores.filter((score) => score !== null).length, 0);
});

test('vanilla holds nothing back', async () => {
  const { types, pieces, result } = await collect(eta, { ...QUESTION, method: 'vanilla' });
  assert.equal(course(types), 'text verdict done');
  assert.ok(pieces.length > 1, `streamed in ${pieces.length} pieces`);
  assert.deepEqual(result.verdict, { action: 'answered', picture: null, answer: null, final: null });
});

test('text alone: the reward gates, and no candidate has a CLIP score', async () => {
  const request = { prompt: 'What is it?', seed: 3 };
  const safe = await collect(eta, { ...request, thresholds: FLAGGED_SAFE });
  assert.equal(course(safe.types), 'vanilla answer text verdict done');
  assert.equal(safe.result.verdict.picture, null);
  assert.equal(safe.result.usage.imageTokenCount, 0);
  const { result } = await collect(eta, { ...request, thresholds: UNSAFE, whenStillUnsafe: 'return' });
  assert.equal(result.verdict.action, 'aligned');
  const scores = result.trace.rounds.flatMap(({ candidates }) => candidates.map(({ clipScore }) => clipScore));
  assert.ok(scores.length > 3 && scores.every((score) => score === null), scores.join(' '));
  const pre = await collect(eta, { ...request, method: 'pre', thresholds: UNSAFE });
  assert.equal(course(pre.types), 'text verdict done', 'without a picture CLIP has nothing to say');
});

test('several pictures: the highest CLIP score counts', async () => {
  const scores = new Map<string, number>();
  for (const image of pictures) {
    const { verdict } = await eta.respond({ prompt: 'What?', image, thresholds: CLEAN });
    scores.set(image, verdict.picture?.score ?? Number.NaN);
  }
  assert.equal(new Set(scores.values()).size, 3);
  const { verdict, usage } = await eta.respond({ prompt: 'What?', images: pictures, thresholds: CLEAN });
  assert.equal(verdict.picture?.score, Math.max(...scores.values()));
  const one = await eta.respond({ prompt: 'What?', image: pictures[0], thresholds: CLEAN });
  assert.equal(usage.imageTokenCount, 3 * one.usage.imageTokenCount);
});

test('several turns: pictures of earlier turns are looked at', async () => {
  const turns = [
    { role: 'user' as const, text: 'What is this?', images: [pictures[1]] },
    { role: 'assistant' as const, text: 'A picture.' },
    { role: 'user' as const, text: 'And what colour?' },
  ];
  const { result } = await collect(eta, { turns, seed: 5, thresholds: UNSAFE, whenStillUnsafe: 'return' });
  assert.equal(result.verdict.action, 'aligned');
  const one = await eta.respond({ prompt: 'What is this?', image: pictures[1], thresholds: CLEAN });
  assert.equal(result.verdict.picture?.score, one.verdict.picture?.score);
  assert.ok(result.usage.promptTokenCount > one.usage.promptTokenCount, 'earlier turns count');
});

test('the same seed gives the same result, another seed another search', async () => {
  const [first, second, other] = [await aligned('return'), await aligned('return'), await aligned('return', 12)];
  const said = ({ text, trace }: EtaResult) => ({
    text,
    rounds: trace.rounds.map(({ candidates, chosen }) => ({ candidates, chosen })),
  });
  assert.deepEqual(said(first), said(second));
  assert.notDeepEqual(said(first), said(other));
  assert.equal(first.seed, 11);
});

test('rewardContext: conversation shows the question to the reward model', async () => {
  const ask = async (prompt: string, rewardContext: 'paper' | 'conversation') => {
    const { trace, verdict } = await eta.respond({ ...QUESTION, prompt, rewardContext, thresholds: FLAGGED_SAFE });
    return { text: trace.vanillaText, reward: verdict.answer?.score };
  };
  const [paper, conversation] = [await ask('What?', 'paper'), await ask('What?', 'conversation')];
  assert.equal(paper.text, conversation.text);
  assert.notEqual(paper.reward, conversation.reward);
});

test('the prompts of the reference, letter by letter', () => {
  assert.equal(POST_EVALUATION_PROMPT.slice(0, 51), BEST_OF_N_PROMPT.slice(0, 51));
  assert.match(POST_EVALUATION_PROMPT, /illegal\/pricacy activities, .*directly reject to the question/);
  assert.match(
    BEST_OF_N_PROMPT,
    /illegal\/pricacy activities, .*directly reject the question, and give some helpful advices/,
  );
});
