/** Each gate before a method: who is asked, what is made again, and by which threshold the new answer is read. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Clip } from '../../src/clip/index.js';
import type { Eta, EtaResult, Gate, GivenThresholds } from '../../src/index.js';
import { GATES } from '../../src/policy/index.js';
import { goldenFile } from '../compatibility/golden.js';
import { asked, formFile, tinyForm } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { assertFreed, collect, loadTiny, QUESTION, tinyModels } from './tiny.js';

const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-gates-'));
after(() => rmSync(scratch, { recursive: true }));

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

/** Thresholds that make every answer safe, low, or between the two. */
const ANSWERS = {
  safe: { safe: -1e6, low: -1e6 },
  between: { safe: 1e6, low: -1e6 },
  low: { safe: 1e6, low: 1e6 },
} as const;
const PICTURES = { safe: 1, unsafe: -1, none: null } as const;

type Seen = keyof typeof PICTURES;
type Said = keyof typeof ANSWERS;
type Names = readonly [safe: 'safeReward' | 'safeDecision', low: 'lowReward' | 'lowDecision'];

const REWARD: Names = ['safeReward', 'lowReward'];
const DECISION: Names = ['safeDecision', 'lowDecision'];

function thresholdsOf(seen: Seen, said: Said, [safe, low]: Names): GivenThresholds {
  const unsafeClipScore = PICTURES[seen] ?? 1;
  return { unsafeClipScore, [safe]: ANSWERS[said].safe, [low]: ANSWERS[said].low };
}

/** answered, refused after it was made again, or aligned: made again, and safe then. */
const MARKS = { a: 'answered', r: 'refused', l: 'aligned' } as const;
/** For each gate and what is seen, what becomes of an answer that is safe, between, low. */
const EXPECTED: Readonly<Record<Gate, Readonly<Record<Seen, string>>>> = {
  both: { safe: 'aaa', unsafe: 'arr', none: 'arr' },
  either: { safe: 'arr', unsafe: 'lrr', none: 'arr' },
  picture: { safe: 'aaa', unsafe: 'lrr', none: 'aaa' },
  answer: { safe: 'arr', unsafe: 'arr', none: 'arr' },
  lowAnswerOrBoth: { safe: 'aar', unsafe: 'arr', none: 'aar' },
};

async function decided(by: Eta, gate: Gate, seen: Seen, said: Said, names: Names): Promise<EtaResult> {
  const image = seen === 'none' ? undefined : QUESTION.image;
  return await by.respond({ ...QUESTION, image, gate, thresholds: thresholdsOf(seen, said, names) });
}

/** What every cell of the table becomes. */
async function outcomes(by: Eta, names: Names): Promise<Record<Gate, Record<Seen, string>>> {
  const found = {} as Record<Gate, Record<Seen, string>>;
  for (const gate of GATES) {
    found[gate] = {} as Record<Seen, string>;
    for (const seen of Object.keys(PICTURES) as Seen[]) {
      const marks: string[] = [];
      for (const said of Object.keys(ANSWERS) as Said[]) {
        const { verdict } = await decided(by, gate, seen, said, names);
        marks.push(Object.entries(MARKS).find(([, action]) => action === verdict.action)?.[0] ?? '?');
      }
      found[gate][seen] = marks.join('');
    }
  }
  return found;
}

test('the reward model: every gate, every picture, every answer', async () => {
  assert.deepEqual(await outcomes(eta, REWARD), EXPECTED);
  await assertFreed(eta, 'after all');
});

test('a reward model whose trunk llama.cpp runs', async () => {
  const rewardModel = fileURLToPath(new URL('../golden/reward-trunk/scalar', import.meta.url));
  await using packed = await loadTiny({ models: { ...tinyModels, rewardModel }, thresholds: { safeReward: 0 } });
  assert.deepEqual(await outcomes(packed, REWARD), EXPECTED);
});

const MODELS = { languageModel: tinyModels.languageModel, projector: tinyModels.projector, clip: tinyModels.clip };

test('a guard, which judges by the question', async () => {
  const decision = { form: formFile(tinyForm()), guard: goldenFile('qwen3-vl', 'model.gguf') };
  await using guarded = await loadTiny({ models: MODELS, decision });
  assert.deepEqual(await outcomes(guarded, DECISION), EXPECTED);
  await assertFreed(guarded, 'after all');
});

test('the language model itself, asked about question and answer', async () => {
  const next = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer: next, picture: null }));
  await using itself = await loadTiny({ models: { ...MODELS, languageModel: golden('tiny-chat.gguf') }, decision });
  assert.deepEqual(await outcomes(itself, DECISION), EXPECTED);
  await assertFreed(itself, 'after all');
});

test('the reward model that reads the conversation', async () => {
  const scores: number[] = [];
  for (const rewardContext of ['paper', 'conversation'] as const) {
    for (const gate of GATES) {
      const request = { ...QUESTION, gate, rewardContext, thresholds: thresholdsOf('unsafe', 'low', REWARD) };
      const { verdict } = await eta.respond(request);
      assert.equal(verdict.action, 'refused', `${gate} ${rewardContext}`);
      scores.push(verdict.final?.score ?? Number.NaN);
    }
  }
  const [paper, conversation] = [scores.slice(0, GATES.length), scores.slice(GATES.length)];
  for (const [at, score] of paper.entries()) assert.notEqual(score, conversation[at], 'it reads the question');
});

test('who is asked, and the threshold that both answers are held against', async () => {
  const told = async (gate: Gate, seen: Seen, said: Said) => {
    const { verdict } = await decided(eta, gate, seen, said, REWARD);
    const { picture, answer, final } = verdict;
    return [picture?.isUnsafe ?? null, answer?.threshold ?? null, final?.threshold ?? null];
  };
  assert.deepEqual(await told('both', 'safe', 'low'), [false, null, null], 'a safe picture settles it');
  assert.deepEqual(await told('either', 'safe', 'between'), [false, 1e6, 1e6]);
  assert.deepEqual(await told('either', 'unsafe', 'between'), [true, null, 1e6], 'nobody waits for an answer');
  assert.deepEqual(await told('picture', 'unsafe', 'between'), [true, null, 1e6]);
  assert.deepEqual(await told('answer', 'unsafe', 'between'), [null, 1e6, 1e6], 'nobody looks');
  assert.deepEqual(await told('lowAnswerOrBoth', 'unsafe', 'between'), [true, 1e6, 1e6]);
  assert.deepEqual(await told('lowAnswerOrBoth', 'safe', 'low'), [false, 1e6, 1e6]);
  assert.deepEqual(await told('lowAnswerOrBoth', 'safe', 'between'), [false, -1e6, null]);
  assert.deepEqual(await told('lowAnswerOrBoth', 'none', 'between'), [null, -1e6, null]);
});

test('the new answer is read with the threshold of the gate that flagged the first', async () => {
  const first = await decided(eta, 'lowAnswerOrBoth', 'safe', 'low', REWARD);
  const [own, made] = [first.verdict.answer?.score ?? Number.NaN, first.verdict.final?.score ?? Number.NaN];
  assert.ok(made > own, `a control needs a new answer that reads safer: ${own}, then ${made}`);
  const lowReward = (own + made) / 2;
  const thresholds = { safeReward: 1e6, lowReward };
  const at = async (unsafeClipScore: number) =>
    (await eta.respond({ ...QUESTION, gate: 'lowAnswerOrBoth', thresholds: { ...thresholds, unsafeClipScore } }))
      .verdict;
  const calm = await at(PICTURES.safe);
  assert.deepEqual([calm.action, calm.final?.threshold, calm.final?.isUnsafe], ['aligned', lowReward, false]);
  const alarmed = await at(PICTURES.unsafe);
  assert.deepEqual([alarmed.action, alarmed.final?.threshold], ['refused', 1e6], 'both had flagged it');
});

test('an answer that is done before the picture is looked at waits for it', async () => {
  const request = {
    ...QUESTION,
    method: 'eta',
    gate: 'lowAnswerOrBoth',
    thresholds: thresholdsOf('unsafe', 'between', REWARD),
    maxTokens: 1,
  } as const;
  for (const release of ['whole', 'checked'] as const) {
    // CLIP is not loaded before the request asks it.
    for (const method of ['vanilla', 'post'] as const) {
      await using late = await loadTiny({ method });
      const { picture, answer, action } = (await late.respond({ ...request, release })).verdict;
      const told = [picture?.isUnsafe, answer?.threshold, action];
      assert.deepEqual(told, [true, 1e6, 'refused'], `${release}, loaded for ${method}`);
    }
  }
});

test('what CLIP throws ends a request whose answer is judged too', async () => {
  const clip = join(scratch, 'clip');
  cpSync(tinyModels.clip, clip, { recursive: true });
  await using late = await loadTiny({ method: 'post', models: { ...tinyModels, clip } });
  rmSync(join(clip, 'manifest.json'));
  const load = Clip.load.bind(Clip);
  // Late, so that the answer is there before it fails.
  const loading = mock.method(Clip, 'load', async (...asked: Parameters<typeof load>) => {
    await setTimeout(500);
    return await load(...asked);
  });
  const thresholds = thresholdsOf('unsafe', 'between', REWARD);
  const asked = late.respond({ ...QUESTION, method: 'eta', gate: 'lowAnswerOrBoth', thresholds, maxTokens: 1 });
  await assert.rejects(asked, { name: 'ModelError' }).finally(() => loading.mock.restore());
  await assertFreed(late, 'after it');
});

test('text streams at once where a safe picture settles it, and is held where the answer is read too', async () => {
  const thresholds = thresholdsOf('safe', 'safe', REWARD);
  for (const gate of GATES) {
    const { types } = await collect(eta, { ...QUESTION, gate, thresholds });
    const isHeld = types.includes('answer');
    assert.equal(isHeld, ['either', 'answer', 'lowAnswerOrBoth'].includes(gate), gate);
    if (isHeld) assert.ok(types.indexOf('text') > types.indexOf('answer'), gate);
  }
});

test('the trace says which gate was named; without one it says nothing, and both is what the method does', async () => {
  const request = { ...QUESTION, thresholds: thresholdsOf('unsafe', 'low', REWARD) };
  const plain = await eta.respond({ ...request, reuse: false });
  assert.equal('gate' in plain.trace, false);
  const named = await eta.respond({ ...request, gate: 'both', reuse: false });
  assert.equal(named.trace.gate, 'both');
  const { gate: _gate, ...trace } = named.trace;
  const timeless = ({ rounds, ...rest }: typeof plain.trace) => ({
    ...rest,
    rounds: rounds.map(({ candidates, chosen }) => ({ candidates, chosen })),
  });
  assert.deepEqual(timeless(trace), timeless(plain.trace));
  assert.equal(named.text, plain.text);
});

test('methods that take none refuse it, each with its reason; others pass over what was said for all', async () => {
  const refused = async (method: 'pre' | 'post' | 'vanilla', why: RegExp) => {
    await assert.rejects(eta.respond({ ...QUESTION, method, gate: 'either' }), {
      code: 'ERR_INVALID_OPTION',
      message: why,
    });
    await assert.rejects(loadTiny({ method, gate: 'either' }), { code: 'ERR_INVALID_OPTION', message: why });
  };
  await refused('pre', /gate: expected none for method 'pre', which is its gate, received 'either'/);
  await refused('post', /gate: expected none for method 'post', which is its gate/);
  await refused(
    'vanilla',
    /gate: expected none for method 'vanilla', which makes no answer again.*shallow, deep, eta, steered\./,
  );
  await assert.rejects(eta.respond({ ...QUESTION, gate: 'all' as never }), {
    code: 'ERR_INVALID_OPTION',
    message: /gate: expected both, either, picture, answer, lowAnswerOrBoth; received "all"/,
  });
  await using gated = await loadTiny({ gate: 'answer' });
  const thresholds = thresholdsOf('unsafe', 'safe', REWARD);
  const verdictOf = async (method: 'eta' | 'shallow' | 'deep' | 'pre' | 'vanilla') =>
    (await gated.respond({ ...QUESTION, method, thresholds })).verdict;
  for (const method of ['eta', 'shallow', 'deep'] as const)
    assert.equal((await verdictOf(method)).picture, null, method);
  assert.equal((await verdictOf('pre')).picture?.isUnsafe, true);
  assert.equal((await verdictOf('vanilla')).answer, null);
});

test('without a low threshold the gate that needs it is refused, and one above the other', async () => {
  await assert.rejects(eta.respond({ ...QUESTION, gate: 'lowAnswerOrBoth' }), {
    name: 'ModelError',
    code: 'ERR_NO_THRESHOLD',
    message: /low threshold of the reward model for gate 'lowAnswerOrBoth'.*calibrate.*Or give thresholds\.lowReward\./,
  });
  await assert.rejects(loadTiny({ gate: 'lowAnswerOrBoth' }), { code: 'ERR_NO_THRESHOLD' });
  await assert.rejects(
    eta.respond({ ...QUESTION, gate: 'lowAnswerOrBoth', thresholds: { safeReward: 0, lowReward: 0.1 } }),
    { code: 'ERR_INVALID_OPTION', message: /expected lowReward to be at most safeReward, 0, received 0\.1/ },
  );
  // Whatever is found of a picture: of one that is unsafe the low threshold is not wanted, but nobody knows that before.
  const evaluated = { answer: 'Mix them.', gate: 'lowAnswerOrBoth' } as const;
  for (const unsafeClipScore of [-1, 1])
    await assert.rejects(eta.evaluate({ ...evaluated, image: QUESTION.image, thresholds: { unsafeClipScore } }), {
      code: 'ERR_NO_THRESHOLD',
    });
  await assert.rejects(eta.evaluate({ ...evaluated, thresholds: { safeReward: 0, lowReward: 0.1 } }), {
    code: 'ERR_INVALID_OPTION',
    message: /expected lowReward to be at most safeReward/,
  });
  const { answer } = await eta.evaluate({ image: QUESTION.image, gate: 'lowAnswerOrBoth' });
  assert.equal(answer, null, 'where no answer is judged, no low threshold is wanted');
  await assert.rejects(loadTiny({ thresholds: { lowDecision: 0 } }), {
    code: 'ERR_INVALID_OPTION',
    message: /expected lowReward for answers, received lowDecision/,
  });
});

test('an answer that somebody else has is judged by the gate too', async () => {
  await using gated = await loadTiny({ gate: 'lowAnswerOrBoth', thresholds: { safeReward: 1e6, lowReward: -1e6 } });
  const judged = async (unsafeClipScore: number | null) => {
    const about = unsafeClipScore === null ? {} : { image: QUESTION.image, thresholds: { unsafeClipScore } };
    return (await gated.evaluate({ ...about, answer: 'Mix them.' })).answer?.isUnsafe;
  };
  assert.equal(await judged(null), false);
  assert.equal(await judged(PICTURES.safe), false);
  assert.equal(await judged(PICTURES.unsafe), true);
  const behind = async (gate: Gate) =>
    (await gated.evaluate({ gate, image: QUESTION.image, thresholds: { unsafeClipScore: 1 }, answer: 'Mix them.' }))
      .answer;
  assert.deepEqual([(await behind('lowAnswerOrBoth'))?.isUnsafe, (await behind('both'))?.isUnsafe], [false, true]);
});

test('the policy balanced: its gate, two candidates first, two more tries before the fixed sentence; a low threshold it wants', async () => {
  await assert.rejects(loadTiny({ policy: 'balanced' }), {
    code: 'ERR_NO_THRESHOLD',
    message: /low threshold of the reward model for gate 'lowAnswerOrBoth', received none/,
  });
  await using balanced = await loadTiny({ policy: 'balanced', thresholds: thresholdsOf('safe', 'low', REWARD) });
  const { verdict, trace } = await balanced.respond(QUESTION);
  assert.equal(verdict.picture?.isUnsafe, false);
  assert.equal(verdict.action, 'refused', 'a low answer is made again beside a picture that looks safe');
  assert.deepEqual([trace.policy, trace.gate], ['balanced', 'lowAnswerOrBoth']);
  assert.deepEqual(
    trace.rungs?.map(({ rung }) => rung),
    ['search', 'refusingPrefix', 'caption'],
  );
  const passing = { ...thresholdsOf('unsafe', 'between', REWARD), safeReward: 1e6 };
  const eased = await balanced.respond({ ...QUESTION, thresholds: passing, acceptAbove: -1e6 });
  const [first] = eased.trace.rounds;
  assert.deepEqual([first?.candidates.length, first?.undrawnCount], [2, 1]); // of three
  const post = await balanced.respond({
    ...QUESTION,
    method: 'post',
    thresholds: thresholdsOf('safe', 'safe', REWARD),
  });
  assert.equal(post.trace.gate, undefined, 'a method that is its gate passes over it');
});
