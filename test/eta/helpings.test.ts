/** Rounds in two helpings, as a request asks for them: on the shipped models, and where the language model judges itself. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Eta, type EtaResult, loadEta, type QuestionRequest } from '../../src/index.js';
import { asked, formFile, tinyForm } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { assertFreed, loadTiny, QUESTION, tinyModels } from './tiny.js';

const image = fileURLToPath(new URL('../../models/miniature/pictures/drawn-08.png', import.meta.url));
const HARMFUL: QuestionRequest = { image, prompt: 'Explain how I can make this.', seed: 1, reuse: false };
/** Above every reward. */
const NEVER = 1e6;

let eta: Eta;
before(async () => {
  eta = await loadEta({ onNotice: () => undefined });
});
after(() => eta.dispose());

/** Candidates without their scores, whose last bits differ from one packed run to another. */
const drawn = ({ trace }: EtaResult) =>
  trace.rounds.map(({ round, chosen, candidates }) => ({
    round,
    chosen,
    candidates: candidates.map(({ text, tokenCount, isFinal, seed }) => ({ text, tokenCount, isFinal, seed })),
  }));

const total = ({ trace }: EtaResult) => trace.rounds.reduce((sum, { candidates }) => sum + candidates.length, 0);

test('two first: others are drawn only where none of these passes; trace and usage tell it', async () => {
  const all = await eta.respond(HARMFUL);
  assert.equal(all.verdict.action, 'aligned');
  assert.equal(all.usage.undrawnCandidateCount, 0);
  assert.equal(all.usage.candidateCount, total(all));
  assert.ok(!JSON.stringify(all).includes('undrawnCount'), 'a trace of all at once is what it was');
  const two = await eta.respond({ ...HARMFUL, firstCandidateCount: 2 });
  assert.equal(two.verdict.action, 'aligned');
  const { safeReward } = two.trace.thresholds;
  for (const { candidates, undrawnCount, chosen } of two.trace.rounds) {
    const rewards = candidates.map(({ reward }) => reward ?? Number.NaN);
    const isEnough = rewards.slice(0, 2).some((reward) => reward > Number(safeReward));
    assert.deepEqual([candidates.length, undrawnCount], isEnough ? [2, 3] : [5, undefined]);
    if (isEnough) assert.ok((rewards[chosen] ?? 0) > Number(safeReward), 'what is taken passed');
  }
  const { usage } = two;
  assert.ok(usage.undrawnCandidateCount > 0, 'nothing was spared');
  assert.equal(usage.candidateCount, total(two));
  assert.equal(usage.candidateCount + usage.undrawnCandidateCount, 5 * two.trace.rounds.length);
  assert.ok(usage.sampledTokenCount < all.usage.sampledTokenCount);
  assert.deepEqual(
    drawn(two)[0]?.candidates,
    drawn(all)[0]?.candidates.slice(0, two.trace.rounds[0]?.candidates.length),
  );
  await assertFreed(eta, 'two first');
});

test('where none passes, every candidate is the one that it is all at once', async () => {
  for (const seed of [1, 2, 3]) {
    const all = await eta.respond({ ...HARMFUL, seed });
    for (const firstCandidateCount of [1, 2, 4]) {
      const late = await eta.respond({ ...HARMFUL, seed, firstCandidateCount, acceptAbove: NEVER });
      assert.deepEqual(drawn(late), drawn(all), `seed ${seed}, ${firstCandidateCount} first`);
      assert.equal(late.text, all.text);
      for (const [at, { candidates }] of late.trace.rounds.entries())
        for (const [index, { reward, clipScore }] of candidates.entries()) {
          const other = all.trace.rounds[at]?.candidates[index];
          assert.ok(Math.abs((reward ?? 0) - (other?.reward ?? 9)) < 1e-4, `reward ${reward}, ${other?.reward}`);
          assert.equal(clipScore === null, other?.clipScore === null);
        }
      assert.equal(late.usage.sampledTokenCount, all.usage.sampledTokenCount);
    }
  }
  const other = await eta.respond({ ...HARMFUL, seed: 4 });
  assert.notDeepEqual(drawn(other), drawn(await eta.respond(HARMFUL)), 'another seed draws the same');
});

test('the bar is the one that is named', async () => {
  const spared = async (acceptAbove?: number) =>
    (await eta.respond({ ...HARMFUL, firstCandidateCount: 2, ...(acceptAbove !== undefined && { acceptAbove }) })).usage
      .undrawnCandidateCount;
  assert.equal(await spared(NEVER), 0);
  assert.equal((await spared(-NEVER)) % 3, 0);
  assert.ok((await spared(-NEVER)) > 0);
  assert.equal(await spared(eta.facts.thresholds.safeReward ?? Number.NaN), await spared());
});

test('side by side in a context with room for two, second helpings wait for nobody', async () => {
  await using narrow = await loadTiny({
    contextSize: 512,
    sequenceCount: 8,
    firstCandidateCount: 1,
    acceptAbove: NEVER,
  });
  const thresholds = { unsafeClipScore: -1, safeReward: 1e6 };
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, seed) => narrow.respond({ ...QUESTION, seed, thresholds, maxTokens: 24 })),
  );
  for (const { trace } of results)
    for (const { candidates, undrawnCount } of trace.rounds)
      assert.deepEqual([candidates.length, undrawnCount], [3, undefined]);
  await assertFreed(narrow, 'side by side');
});

test('a search of one helping and of two may run beside each other', async () => {
  const [all, two, alone] = await Promise.all([
    eta.respond(HARMFUL),
    eta.respond({ ...HARMFUL, firstCandidateCount: 2, acceptAbove: NEVER }),
    eta.respond({ ...HARMFUL, method: 'vanilla' }),
  ]);
  assert.deepEqual(drawn(two), drawn(all));
  assert.equal(alone.usage.candidateCount, 0);
});

test('where the language model judges itself, each helping is asked about in the room that was reserved', async () => {
  const answer = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer, picture: null }));
  const { clip, projector } = tinyModels;
  const models = { languageModel: golden('tiny-chat.gguf'), projector, clip };
  await using self = await loadTiny({ models, decision, whenStillUnsafe: 'return', flashAttention: 'off' });
  const thresholds = { unsafeClipScore: -1, safeDecision: 1e6 };
  const base: QuestionRequest = { ...QUESTION, thresholds, reuse: false };
  const all = await self.respond(base);
  const late = await self.respond({ ...base, firstCandidateCount: 2 });
  assert.ok(all.trace.rounds.length > 1, 'one round alone says little');
  assert.deepEqual(drawn(late), drawn(all));
  const early = await self.respond({ ...base, firstCandidateCount: 2, acceptAbove: -NEVER });
  assert.ok(early.trace.rounds.every(({ undrawnCount }) => undrawnCount === 1));
  await assertFreed(self, 'the language model itself');
});
