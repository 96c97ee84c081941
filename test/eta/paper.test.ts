/**
 * `policy: 'paper'` against the reference's rules, restated here plainly and computed apart from the code under test:
 * rewards by separate runs of the reward model, CLIP scores by CLIP, sentence ends by the vocabulary.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Clip, cosine } from '../../src/clip/index.js';
import { Model } from '../../src/engine/index.js';
import { decodeImage, type Eta } from '../../src/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { BEST_OF_N_PROMPT, POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/index.js';
import { RewardModel } from '../../src/reward/index.js';
import { paperModels } from '../paper/replay.js';
import { loadTiny, pictures, tinyModels } from './tiny.js';

const TOLERANCE = 1e-4;
/** Evaluators with the paper's thresholds. */
const models = { ...tinyModels, clip: paperModels.clip, rewardModel: paperModels.rewardModel };
let eta: Eta;
let model: Model;
let worker: EvaluatorWorker;
let clip: Clip;
let rewardModel: RewardModel;

before(async () => {
  const paper = {
    models,
    policy: 'paper' as const,
    maxTokens: 150,
    sentenceTokenLimit: undefined,
    candidateCount: undefined,
  };
  eta = await loadTiny(paper);
  model = await Model.load({
    modelPath: models.languageModel,
    projectorPath: models.projector,
    threadCount: 1,
  });
  worker = await EvaluatorWorker.start({ threadCount: 1 });
  clip = await Clip.load({ worker, folder: models.clip });
  rewardModel = await RewardModel.load({ worker, folder: models.rewardModel });
});
after(async () => {
  await eta.dispose();
  await model.dispose();
  await worker.dispose();
});

const reward = (prompt: string, answer: string) => rewardModel.score([{ role: 'user', content: prompt }], answer);

function assertClose(received: number | null | undefined, expected: number, what: string): void {
  assert.ok(
    typeof received === 'number' && Math.abs(received - expected) <= TOLERANCE,
    `${what}: ${received}, ${expected}`,
  );
}

test('the constants are the reference code’s', () => {
  const { policy, thresholds } = eta.facts;
  assert.deepEqual(
    { ...thresholds, n: policy.candidateCount, t: policy.temperature, k: policy.topK, cap: policy.sentenceTokenLimit },
    { unsafeClipScore: 0.16, safeReward: 0.06, n: 5, t: 1.5, k: 5, cap: 70 },
  );
});

for (const [seed, image] of [1, 2, 3, 4].map((seed) => [seed, pictures[(seed % 3) as 0 | 1 | 2]] as const)) {
  test(`seed ${seed}: every score, choice and end is what the rules say`, async () => {
    const result = await eta.respond({
      prompt: 'How do I make this?',
      image,
      seed,
      thresholds: { unsafeClipScore: -1, safeReward: 1e6 },
    });
    const { trace, verdict } = result;
    const picture = await clip.embedImage(await decodeImage(image));
    assertClose(verdict.picture?.score, cosine(picture, await clip.embedText(SAFETY_PROMPT)), 'CLIP score');
    assertClose(verdict.answer?.score, await reward(POST_EVALUATION_PROMPT, trace.vanillaText ?? ''), 'reward');
    assert.equal(verdict.action, 'aligned', 'the reference returns what it aligned, whatever its reward');

    let accepted = 'As an AI assistant';
    let tokenCount = 0;
    assert.ok(trace.rounds.length >= 2, `${trace.rounds.length} rounds`);
    for (const [index, { round, candidates, chosen }] of trace.rounds.entries()) {
      assert.equal(round, index + 1);
      assert.equal(candidates.length, 5);
      const cap = round === 1 ? 69 : 70; // also in the last one: the reference asks for the limit between sentences
      const anyEnded = candidates.some(({ isFinal }) => isFinal);
      const values: number[] = [];
      for (const candidate of candidates) {
        const expectedReward = await reward(BEST_OF_N_PROMPT, accepted + candidate.text);
        assertClose(candidate.reward, expectedReward, `reward of round ${round}`);
        let value = expectedReward;
        if (round > 1 && !anyEnded) {
          const score = cosine(picture, await clip.embedText(candidate.text));
          assertClose(candidate.clipScore, score, `CLIP score of round ${round}`);
          value += score / round;
        } else {
          assert.equal(candidate.clipScore, null);
        }
        assertClose(candidate.utility, value, `utility of round ${round}`);
        values.push(candidate.utility ?? Number.NaN);
        assert.ok(candidate.tokenCount <= cap, `${candidate.tokenCount} tokens in round ${round}`);
        if (!candidate.isFinal && candidate.tokenCount < cap) assert.ok(candidate.text.endsWith('.'));
        // Nothing but the token "." ends one: "!", "?" and a newline do not.
        if (!candidate.isFinal) assert.ok(!candidate.text.slice(0, -1).includes('.') || hasOtherStop(candidate.text));
      }
      assert.equal(chosen, values.indexOf(Math.max(...values)));
      accepted += candidates[chosen]?.text ?? '';
      tokenCount += candidates[chosen]?.tokenCount ?? 0;
      const isLast = index === trace.rounds.length - 1;
      assert.equal(isLast, candidates[chosen]?.isFinal === true || tokenCount >= 150);
    }
    assert.equal(result.text, accepted.trim());
    assertClose(verdict.final?.score, await reward(POST_EVALUATION_PROMPT, result.text), 'final reward');
  });
}

test('candidates of the first round continue picture, question and prefix', async () => {
  const prompt = 'How do I make this?';
  const thresholds = { unsafeClipScore: -1, safeReward: 1e6 };
  const { trace } = await eta.respond({ prompt, image: pictures[0], seed: 4, thresholds });
  const image = await model.encodeImage(await decodeImage(pictures[0]));
  const parts = await model.prompt([{ role: 'user', text: prompt, images: [image] }]);
  // Behind "ASSISTANT:" SentencePiece puts a space before the prefix, as before any answer.
  const prefix = await model.tokenize('As an AI assistant');
  assert.equal(model.text(prefix), ' As an AI assistant');
  await using context = await model.createContext({ contextSize: 512, sequenceCount: 1, cacheType: 'f32' });
  await using lease = await context.reserve({ cellCount: 400, sequenceCount: 1 });
  const set = await context.createTokenSet(model.tokensContaining('.'));
  for (const candidate of trace.rounds[0]?.candidates ?? []) {
    const sequence = await lease.createSequence();
    await sequence.prefill([...parts, prefix]);
    const { text } = await sequence.decode({
      sampler: { temperature: 1.5, topK: 5, seed: candidate.seed },
      maxTokens: 69,
      pause: { set, accept: (_, tokens) => model.text(tokens.slice(-1)) === '.' },
    });
    assert.equal(candidate.text, text);
    await sequence.release();
  }
});

/** Whether a token other than "." holds a full stop, so that a text may hold one inside. */
function hasOtherStop(text: string): boolean {
  return [...model.tokensContaining('.')].some((token) => {
    const piece = model.text([token]);
    return piece !== '.' && text.includes(piece);
  });
}

test('sentences by text end where the reference’s do not', async () => {
  const request = { prompt: 'Hm?', image: pictures[0], seed: 9, thresholds: { unsafeClipScore: -1, safeReward: 1e6 } };
  const byToken = await eta.respond(request);
  const byText = await eta.respond({ ...request, sentenceEnd: 'text' });
  const ends = (result: typeof byToken) =>
    new Set(result.trace.rounds.flatMap(({ candidates }) => candidates.map(({ text }) => text.at(-1))));
  assert.ok(!ends(byToken).has('!') || !ends(byToken).has('?'));
  assert.ok(ends(byText).has('!') || ends(byText).has('?'), [...ends(byText)].join(' '));
});
