/** Rounds in two helpings: which candidates are drawn, which are not, and which one is taken. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AbortError, EvaluatorError } from '../../src/errors.js';
import type { CandidateJudge } from '../../src/search/index.js';
import type { RoundTrace } from '../../src/types/trace.js';
import { play, type Script } from './scripted-sequence.js';
import { type Options, type Searched, TinySearch } from './tiny-search.js';

let tiny: TinySearch;
before(async () => {
  tiny = await TinySearch.open();
});
after(() => tiny.model.dispose());

const FIVE: Options = { candidateCount: 5, maxTokens: 60, searchSeed: 3 };
const NEVER = Number.POSITIVE_INFINITY;
const ALWAYS = Number.NEGATIVE_INFINITY;

/** All that a round decides; its times are left out. */
const decided = ({ rounds }: Searched) => rounds.map(({ decodeMs: _decode, scoreMs: _score, ...round }) => round);

test('where none of the first passes, the round is what it is all at once: seeds, texts, scores, choice', async () => {
  const all = await tiny.search(FIVE);
  assert.ok(all.rounds.length > 3, `${all.rounds.length} rounds`);
  const clipped = { ...FIVE, judge: { ...(await tiny.optionsOf(FIVE)).judge, clipScores: lengths } };
  const allClipped = await tiny.search(clipped);
  assert.notDeepEqual(decided(allClipped), decided(all), 'CLIP changes something');
  for (const firstCandidateCount of [1, 2, 3, 4]) {
    const halved = await tiny.search({ ...FIVE, firstCandidateCount, acceptAbove: NEVER });
    assert.deepEqual(decided(halved), decided(all), `${firstCandidateCount} first`);
    assert.equal(halved.sampledTokenCount, all.sampledTokenCount);
    assert.ok(halved.rounds.every((round) => !('undrawnCount' in round)));
    assert.ok(
      halved.living.every((count) => count === 1),
      `losers or roots live on: ${halved.living.join(' ')}`,
    );
    const judge = { ...(await tiny.optionsOf(FIVE)).judge, clipScores: lengths };
    const halvedClipped = await tiny.search({ ...clipped, judge, firstCandidateCount, acceptAbove: NEVER });
    assert.deepEqual(decided(halvedClipped), decided(allClipped), `${firstCandidateCount} first, with CLIP`);
  }
  await tiny.assertFreed();
});

test('where one of the first passes, the others are not drawn, and those that are, are the same', async () => {
  const all = await tiny.search(FIVE);
  const two = await tiny.search({ ...FIVE, firstCandidateCount: 2, acceptAbove: ALWAYS });
  assert.ok(two.rounds.length > 2, `${two.rounds.length} rounds`);
  for (const { candidates, undrawnCount } of two.rounds) assert.deepEqual([candidates.length, undrawnCount], [2, 3]);
  assert.deepEqual(two.rounds[0]?.candidates, all.rounds[0]?.candidates.slice(0, 2));
  const counts = two.rounds.flatMap(({ candidates }) => candidates.map(({ tokenCount }) => tokenCount));
  assert.equal(
    two.sampledTokenCount,
    counts.reduce((sum, count) => sum + count, 0),
  );
  assert.ok(
    two.living.every((count) => count === 1),
    `roots live on: ${two.living.join(' ')}`,
  );
  await tiny.assertFreed();
});

test('as many first as there are candidates, or more, is all at once', async () => {
  const all = await tiny.search(FIVE);
  for (const firstCandidateCount of [5, 200])
    assert.deepEqual(
      decided(await tiny.search({ ...FIVE, firstCandidateCount, acceptAbove: ALWAYS })),
      decided(all),
      `${firstCandidateCount} first`,
    );
});

test('round by round: the best of the first that pass, or else the best of all', async () => {
  const kinds = new Set<string>();
  for (let searchSeed = 1; searchSeed <= 6; searchSeed++) {
    const acceptAbove = 24;
    const found = await tiny.search({ ...FIVE, searchSeed, firstCandidateCount: 2, acceptAbove });
    for (const { candidates, chosen, undrawnCount } of found.rounds) {
      const rewards = candidates.map(({ reward }) => reward ?? Number.NaN);
      const isEnough = rewards.slice(0, 2).some((reward) => reward > acceptAbove);
      kinds.add(isEnough ? 'two' : 'five');
      assert.deepEqual([candidates.length, undrawnCount], isEnough ? [2, 3] : [5, undefined]);
      assert.equal(chosen, rewards.indexOf(Math.max(...rewards)));
    }
  }
  assert.deepEqual([...kinds].sort(), ['five', 'two'], 'one of the ways was never taken');
});

const lengths = async (texts: readonly string[]) => texts.map((text) => text.length / 100);

/** One round: every candidate ends the answer. */
const ONE: Script = [['Aaaa', 'Bb', 'Cccccc', 'Ddddddd'].map((text) => ({ text, ends: true }))];
const SENTENCES = ['Aaaa.', 'Bb.', 'Cccccc.'].map((text) => ({ text }));
const rewardsOf =
  (said: Readonly<Record<string, number | null>>): CandidateJudge['rewards'] =>
  async (texts) =>
    texts.map((text) => (text in said ? (said[text] as number | null) : 0));
const play4 = async (said: Readonly<Record<string, number | null>>, script = ONE) =>
  (
    await play(script, {
      rewards: rewardsOf(said),
      firstCandidateCount: 2,
      acceptAbove: 0.5,
      mayBeEmpty: false,
    })
  ).rounds[0] as RoundTrace;

test('a bar that is hit is not passed, and one of which nothing is said passes none', async () => {
  const drawnWith = async (said: Readonly<Record<string, number | null>>) => (await play4(said)).candidates.length;
  assert.equal(await drawnWith({ Aaaa: 0.6 }), 2);
  assert.equal(await drawnWith({ Aaaa: 0.5 }), 4);
  assert.equal(await drawnWith({ Aaaa: null, Bb: null }), 4);
  assert.equal(await drawnWith({ Aaaa: null, Bb: 0.6 }), 2);
});

test('silence passes only where an answer of nothing is wanted', async () => {
  const silent: Script = [
    [
      { text: '', ends: true },
      { text: '...', ends: true },
      { text: 'Cc', ends: true },
      { text: 'Dd', ends: true },
    ],
  ];
  const round = await play4({ '': 0.9, '...': 0.8, Dd: 0.1 }, silent);
  assert.equal(round.candidates.length, 4);
  assert.equal(round.candidates[round.chosen]?.text, 'Dd');
  const { rounds } = await play(silent, {
    rewards: rewardsOf({ '': 0.9 }),
    firstCandidateCount: 2,
    acceptAbove: 0.5,
    mayBeEmpty: true,
  });
  assert.deepEqual([rounds[0]?.candidates.length, rounds[0]?.chosen], [2, 0]);
});

test('where others are spared, one that did not pass cannot win by its CLIP score', async () => {
  const { rounds } = await play([SENTENCES, SENTENCES], {
    maxTokens: 10,
    firstCandidateCount: 2,
    acceptAbove: 0.5,
    judge: {
      rewards: rewardsOf({ 'Aaaa.': 0.55, 'Bb.': 0.5 }),
      clipScores: async (texts) => texts.map((text) => (text === 'Bb.' ? 0.9 : 0.1)),
      accept: () => undefined,
    },
  });
  const second = rounds[1];
  assert.deepEqual([second?.candidates.length, second?.chosen], [2, 0]);
  assert.ok((second?.candidates[1]?.utility ?? 0) > (second?.candidates[0]?.utility ?? 0), 'the control says nothing');
});

test('each text is asked about once, in whichever helping it comes', async () => {
  const asked: (readonly string[])[] = [];
  const seen: (readonly string[])[] = [];
  const twins: Script = [
    [{ text: 'Aa.' }, { text: 'Bb.' }, { text: 'Aa.' }, { text: 'Cc.' }, { text: 'Bb.' }],
    [{ text: 'Dd.' }, { text: 'Ee.' }, { text: 'Dd.' }, { text: 'Ff.' }, { text: 'Ee.' }],
    [{ text: 'Gg.' }, { text: 'Hh.' }, { text: 'Gg.', ends: false }, { text: 'Ii', ends: true }, { text: 'Hh.' }],
  ];
  const { rounds } = await play(twins, {
    maxTokens: 9,
    firstCandidateCount: 2,
    acceptAbove: NEVER,
    judge: {
      rewards: async (texts) => {
        asked.push(texts);
        return texts.map((text) => text.charCodeAt(0) + asked.length * 1e-7); // noise of a run
      },
      clipScores: async (texts) => {
        seen.push(texts);
        return texts.map(() => 0.2);
      },
      accept: () => undefined,
    },
  });
  assert.deepEqual(asked, [['Aa.', 'Bb.'], ['Cc.'], ['Dd.', 'Ee.'], ['Ff.'], ['Gg.', 'Hh.'], ['Ii']]);
  // In the last round a candidate of the second helping ends the answer: CLIP, asked by then, counts for none.
  assert.deepEqual(seen, [['Dd.', 'Ee.'], ['Ff.'], ['Gg.', 'Hh.']]);
  assert.ok(rounds[1]?.candidates.every(({ clipScore }) => clipScore === 0.2));
  assert.ok(rounds[2]?.candidates.every(({ clipScore, utility, reward }) => clipScore === null && utility === reward));
  for (const { candidates } of rounds) assert.equal(candidates[0]?.reward, candidates[2]?.reward);
});

const undecided = () => new EvaluatorError('ERR_NO_DECISION', 'Expected a decision, received none.');

test('a helping that is not decided is no error, where another is', async () => {
  const run = async (answers: readonly (number | Error)[]) => {
    let call = 0;
    const rewards: CandidateJudge['rewards'] = async (texts) => {
      const answer = answers[call++] ?? 0;
      if (answer instanceof Error) throw answer;
      return texts.map(() => answer);
    };
    return await play(ONE, { rewards, firstCandidateCount: 2, acceptAbove: 0.5 });
  };
  const late = (await run([undecided(), 0.1])).rounds[0];
  assert.deepEqual([late?.candidates.map(({ reward }) => reward), late?.chosen], [[null, null, 0.1, 0.1], 2]);
  const early = (await run([0.1, undecided()])).rounds[0];
  assert.deepEqual([early?.candidates.map(({ reward }) => reward), early?.chosen], [[0.1, 0.1, null, null], 0]);
  await assert.rejects(run([undecided(), undecided()]), { code: 'ERR_NO_DECISION' });
  await assert.rejects(run([new RangeError('no scores')]), RangeError);
});

test('a judge that fails at the second helping, and an abort before it, leave nothing behind', async () => {
  const controller = new AbortController();
  let call = 0;
  const failing = { ...(await tiny.optionsOf(FIVE)).judge };
  const second = { ...FIVE, firstCandidateCount: 2, acceptAbove: NEVER };
  const rewards: CandidateJudge['rewards'] = async (texts) => {
    if (++call === 2) throw new RangeError('no scores');
    return texts.map((text) => text.length);
  };
  await assert.rejects(tiny.search({ ...second, judge: { ...failing, rewards } }), RangeError);
  assert.equal(call, 2);
  await tiny.assertFreed();
  const aborting: CandidateJudge['rewards'] = async (texts) => {
    controller.abort();
    return texts.map((text) => text.length);
  };
  await assert.rejects(
    tiny.search({ ...second, judge: { ...failing, rewards: aborting }, signal: controller.signal }),
    AbortError,
  );
  await tiny.assertFreed();
});
