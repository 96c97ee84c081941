/** What the evaluators are shown and what their work is counted as, against the same reward model asked apart. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Sequence } from '../../src/engine/index.js';
import { Evaluation } from '../../src/eta/evaluation.js';
import { Measures } from '../../src/eta/measures.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { POST_EVALUATION_PROMPT } from '../../src/policy/index.js';
import { POLICIES } from '../../src/policy/policy.js';
import { RewardModel, type RewardSession } from '../../src/reward/index.js';
import type { Turn } from '../../src/types/turn.js';
import { FLAGGED_SAFE, loadTiny, tinyModels } from './tiny.js';

let worker: EvaluatorWorker;
let rewardModel: RewardModel;
before(async () => {
  worker = await EvaluatorWorker.start({ threadCount: 1 });
  rewardModel = await RewardModel.load({ worker, folder: tinyModels.rewardModel });
});
after(() => worker.dispose());

const turns: readonly Turn[] = [
  { role: 'user', text: 'What is this?' },
  { role: 'assistant', text: 'A red square.' },
  { role: 'user', text: 'And what can I do with it?' },
];
const { signal } = new AbortController();

test('a conversation is shown turn by turn, the constant prompt before its last question alone', async () => {
  await using eta = await loadTiny({ thresholds: FLAGGED_SAFE, rewardContext: 'conversation' });
  const { trace, verdict } = await eta.respond({ turns, seed: 1 });
  const answer = trace.vanillaText ?? '';
  const shown = async (at: number) =>
    await rewardModel.score(
      turns.map(({ role, text }, index) => ({
        role,
        content: index === at ? `${POST_EVALUATION_PROMPT}\n\n${text}` : text,
      })),
      answer,
    );
  const expected = await shown(turns.length - 1);
  assert.ok(
    Math.abs((verdict.answer?.score ?? assert.fail('no reward')) - expected) < 1e-4,
    `${verdict.answer?.score}, ${expected}`,
  );
  assert.ok(Math.abs((await shown(0)) - expected) > 1e-3, 'where the prompt stands makes no difference here');
});

test('tokens of the reward model are counted: those that ran, and those that a kept cache saved', async () => {
  const apart = await RewardModel.load({ worker, folder: tinyModels.rewardModel });
  await using eta = await loadTiny({ thresholds: FLAGGED_SAFE });
  const counts: (readonly number[])[] = [];
  for (const prompt of ['What is this?', 'And that?']) {
    const { trace, usage } = await eta.respond({ prompt, seed: 1 });
    const session = apart.open([{ role: 'user', content: POST_EVALUATION_PROMPT }]);
    await session.score([trace.vanillaText ?? '']);
    const { ranTokenCount, cachedTokenCount } = session.statistics;
    assert.deepEqual([usage.rewardTokenCount, usage.rewardCachedTokenCount], [ranTokenCount, cachedTokenCount]);
    session.close();
    counts.push([ranTokenCount, cachedTokenCount]);
  }
  const [[firstRan = 0] = [], [ran = 0, cached = 0] = []] = counts;
  assert.ok(ran > 0 && cached > 100 && firstRan > ran, `the prompt is run once: ${JSON.stringify(counts)}`);
  await apart.dispose();
});

/** A reward model that gives these scores. */
function giving(scores: readonly number[]): RewardModel {
  const session = {
    accepted: '',
    statistics: { ranTokenCount: 0, cachedTokenCount: 0 },
    score: async () => scores,
    accept: () => undefined,
    close: () => undefined,
  } as unknown as RewardSession;
  return { open: () => session } as unknown as RewardModel;
}

test('a reward that is no number is the evaluator’s failure, and no verdict', async () => {
  const rewardOf = async (...scores: number[]) => {
    const evaluators = {
      clip: null,
      rewardModel: { loaded: giving(scores), get: () => assert.fail('it is there') },
      decision: null,
      isSelf: false,
    };
    const evaluated = { policy: POLICIES.standard, turns, reuse: true, exact: false, pictures: async () => [] };
    const answer = { text: 'Yes.', sequence: {} as Sequence }; // the reward model reads the text alone
    return (await new Evaluation(evaluators, evaluated, new Measures()).answerScore(answer, signal)).score;
  };
  assert.equal(await rewardOf(0.5), 0.5);
  for (const [scores, word] of [
    [[Number.NaN], 'NaN'],
    [[Number.NEGATIVE_INFINITY], '-Infinity'],
    [[], 'none'],
  ] as const) {
    await assert.rejects(rewardOf(...scores), {
      name: 'EvaluatorError',
      code: 'ERR_EVALUATOR',
      message: new RegExp(`^Expected a reward that is a finite number, received ${word}\\.`),
    });
  }
});
