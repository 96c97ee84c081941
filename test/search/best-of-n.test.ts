/** The search on the tiny random model, with judges that are plain functions of the text. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AbortError } from '../../src/errors.js';
import { type SearchOptions, searchBestOfN, sentencesByText, sentencesByToken } from '../../src/search/index.js';
import { longest, type Options, type Reward, type Searched, TinySearch } from './tiny-search.js';

let tiny: TinySearch;
before(async () => {
  tiny = await TinySearch.open();
});
after(() => tiny.model.dispose());

const search = (given?: Options) => tiny.search(given);
const optionsOf = (given: Options) => tiny.optionsOf(given);
const withRoot: TinySearch['withRoot'] = (options, work) => tiny.withRoot(options, work);
const assertFreed = () => tiny.assertFreed();

const winners = ({ rounds }: Searched) => rounds.map(({ candidates, chosen }) => candidates[chosen]);

test('each round keeps the best, and its text is the answer', async () => {
  const found = await search();
  assert.ok(found.rounds.length > 2, `${found.rounds.length} rounds`);
  for (const { candidates, chosen } of found.rounds) {
    const lengths = candidates.map(({ text }) => text.length);
    assert.equal(chosen, lengths.indexOf(Math.max(...lengths)));
    assert.deepEqual(
      candidates.map(({ utility }) => utility),
      lengths,
    );
  }
  assert.equal(
    found.text,
    winners(found)
      .map((winner) => winner?.text)
      .join(''),
  );
  assert.ok(
    found.living.every((count) => count === 1),
    `losers live on: ${found.living.join(' ')}`,
  );
  const sampled = found.rounds.flatMap(({ candidates }) => candidates.map(({ tokenCount }) => tokenCount));
  assert.equal(
    found.sampledTokenCount,
    sampled.reduce((sum, count) => sum + count, 0),
  );
  await assertFreed();
});

test('a candidate of which nothing can be said is never chosen, and the trace tells it', async () => {
  const judge = (rewards: (texts: readonly string[]) => (number | null)[]): SearchOptions['judge'] => ({
    rewards: async (texts) => rewards(texts),
    clipScores: null,
    accept: () => undefined,
  });
  const lengths = (texts: readonly string[]) => texts.map((text) => text.length);
  // Of the longest, which would win, nothing is said.
  const { rounds } = await search({
    judge: judge((texts) =>
      lengths(texts).map((length, _, all) =>
        length === Math.max(...all) && Math.min(...all) < length ? null : length,
      ),
    ),
  });
  const unsaid = rounds.flatMap(({ candidates }) => candidates.filter(({ reward }) => reward === null));
  assert.ok(unsaid.length > 2, 'something was said of all');
  assert.ok(unsaid.every(({ utility }) => utility === null));
  for (const { candidates, chosen } of rounds) assert.notEqual(candidates[chosen]?.reward, null);
  await assert.rejects(search({ judge: judge((texts) => texts.map(() => null)) }), { code: 'ERR_EVALUATOR' });
  await assertFreed();
});

test('the same seed gives the same rounds, another seed others', async () => {
  const said = async (searchSeed: number) =>
    (await search({ searchSeed })).rounds.map(({ candidates, chosen }) => ({ candidates, chosen }));
  assert.deepEqual(await said(5), await said(5));
  assert.notDeepEqual(await said(5), await said(6));
});

test('candidates of a round differ, and each has its seed', async () => {
  const { rounds } = await search({ candidateCount: 5 });
  for (const { candidates } of rounds) assert.equal(new Set(candidates.map(({ seed }) => seed)).size, 5);
  assert.ok(
    rounds.some(({ candidates }) => new Set(candidates.map(({ text }) => text)).size > 2),
    'all candidates are alike',
  );
});

test('a candidate draws the same whatever runs beside it', async () => {
  const [few, many] = [await search({ candidateCount: 2 }), await search({ candidateCount: 6 })];
  assert.deepEqual(
    many.rounds[0]?.candidates.slice(0, 2).map(({ text }) => text),
    few.rounds[0]?.candidates.map(({ text }) => text),
  );
});

test('N = 1 is plain sampling, paused at each sentence', async () => {
  const found = await search({ candidateCount: 1 });
  const options = await optionsOf({ candidateCount: 1 });
  const straight = await withRoot(options, async (root) => {
    let text = '';
    let tokenCount = 0;
    for (let round = 1; tokenCount < options.maxTokens; round++) {
      const {
        text: said,
        tokens,
        stopReason,
      } = await root.decode({
        sampler: { temperature: 1.5, topK: 5, seed: options.seed(round, 0) },
        maxTokens: Math.min(12, options.maxTokens - tokenCount),
        pause: { set: options.endTokens, accept: (soFar) => options.rule.ends(soFar, text) },
      });
      text += said;
      tokenCount += tokens.length;
      if (stopReason === 'end') break;
    }
    return text;
  });
  assert.equal(found.text, straight);
  assert.deepEqual(
    found.rounds.map(({ candidates }) => candidates.length),
    found.rounds.map(() => 1),
  );
});

test('no sentence and no answer is longer than its limit', async () => {
  for (const [limit, maxTokens] of [
    [2, 7],
    [5, 5],
    [12, 30],
    [40, 20],
  ] as const) {
    const found = await search({ rule: sentencesByText(limit), maxTokens });
    for (const { candidates } of found.rounds) {
      for (const { tokenCount } of candidates) assert.ok(tokenCount <= limit, `${tokenCount} tokens, limit ${limit}`);
    }
    assert.ok(found.tokenCount <= maxTokens, `${found.tokenCount} tokens, limit ${maxTokens}`);
    const isEnded = winners(found).at(-1)?.isFinal === true;
    assert.equal(found.tokenCount === maxTokens, !isEnded);
  }
});

test('by token the first sentence is one token shorter', async () => {
  const found = await search({ rule: sentencesByToken(6), maxTokens: 60, reward: longest });
  const counts = found.rounds.map(({ candidates }) => Math.max(...candidates.map(({ tokenCount }) => tokenCount)));
  assert.equal(counts[0], 5);
  assert.equal(Math.max(...counts.slice(1)), 6);
});

test('by token the last sentence goes on past the limit to its end, as far as there is room', async () => {
  let passed = 0;
  for (const roomTokens of [20, 24, 31]) {
    for (const searchSeed of [1, 2, 3, 4]) {
      const found = await search({ rule: sentencesByToken(12), maxTokens: 20, roomTokens, searchSeed });
      const before = found.rounds
        .slice(0, -1)
        .reduce((sum, { candidates, chosen }) => sum + (candidates[chosen]?.tokenCount ?? 0), 0);
      assert.ok(before < 20, `a round began at ${before} tokens`);
      assert.ok(found.tokenCount <= roomTokens, `${found.tokenCount} tokens in room for ${roomTokens}`);
      const cap = Math.min(found.rounds.length === 1 ? 11 : 12, roomTokens - before);
      for (const { text, tokenCount, isFinal } of found.rounds.at(-1)?.candidates ?? [])
        assert.ok(isFinal || text.endsWith('.') || tokenCount === cap, `${tokenCount} tokens, cap ${cap}`);
      if (found.tokenCount > 20) passed++;
    }
  }
  assert.ok(passed >= 3, `${passed} searches passed the limit`);
});

test('by token the one token that ends a sentence is the vocabulary’s "."', async () => {
  const tokens = await sentencesByToken(70).endTokens(tiny.model);
  assert.deepEqual(
    [...tokens].map((token) => tiny.model.text([token])),
    ['.'],
  );
  assert.ok((await sentencesByText(70).endTokens(tiny.model)).length > 4, 'by text there are more');
});

/** A search whose first round holds a candidate that ends at once; the tiny model seldom says so. */
async function silentSeed(): Promise<number> {
  for (let searchSeed = 0; searchSeed < 400; searchSeed++) {
    const { rounds } = await search({ ...SILENT, maxTokens: 1, searchSeed });
    const counts = rounds[0]?.candidates.map(({ tokenCount }) => tokenCount) ?? [];
    if (counts.includes(0) && counts.some((count) => count > 0)) return searchSeed;
  }
  throw new assert.AssertionError({ message: 'no candidate ends at once' });
}
const SILENT = { candidateCount: 30, temperature: 8, topK: 0 };

test('an end of text at once is a candidate like others, unless silence is not wanted', async () => {
  const searchSeed = await silentSeed();
  const shortest: Reward = (text) => -text.length;
  const silent = await search({ ...SILENT, searchSeed, reward: shortest, mayBeEmpty: true });
  assert.deepEqual([silent.text, silent.tokenCount, silent.rounds.length], ['', 0, 1]);
  assert.equal(winners(silent)[0]?.isFinal, true);
  const speaking = await search({ ...SILENT, searchSeed, reward: shortest, mayBeEmpty: false });
  const [first] = winners(speaking);
  assert.match(first?.text ?? '', /[\p{L}\p{N}]/u);
  assert.deepEqual(
    speaking.rounds[0]?.candidates.map(({ text }) => text),
    silent.rounds[0]?.candidates.map(({ text }) => text),
  );
  await assertFreed();
});

test('a text of what was said before makes silence an end, not an answer of nothing', async () => {
  const found = await search({ candidateCount: 30, temperature: 8, topK: 0, mayBeEmpty: false, maxTokens: 200 });
  assert.notEqual(found.text.trim(), '');
});

test('the CLIP score is asked for from the second round on, and not where a candidate ended', async () => {
  const asked: (readonly string[])[] = [];
  const options = await optionsOf({ searchSeed: 3 });
  const judge = {
    ...options.judge,
    clipScores: async (texts: readonly string[]) => {
      asked.push(texts);
      return texts.map((text) => text.length / 100);
    },
  };
  const { rounds } = await search({ searchSeed: 3, judge });
  const expected = rounds
    .filter(({ round, candidates }) => round > 1 && !candidates.some(({ isFinal }) => isFinal))
    .map(({ candidates }) => [...new Set(candidates.map(({ text }) => text))]);
  assert.ok(expected.length > 1, 'no round asked');
  assert.deepEqual(asked, expected);
  assert.equal(rounds[0]?.candidates[0]?.clipScore, null);
});

test('without a weight the CLIP score is never asked for', async () => {
  const options = await optionsOf({ searchSeed: 3 });
  const judge = { ...options.judge, clipScores: () => assert.fail('the CLIP score was asked for') };
  const { rounds } = await search({ searchSeed: 3, judge, clipWeight: 0 });
  assert.ok(rounds.length > 1, 'one round alone says nothing');
});

test('candidates that read alike are scored once, alike, and the first of them is chosen', async () => {
  const asked: (readonly string[])[] = [];
  const { judge } = await optionsOf({});
  let noise = 0;
  const noisy = {
    ...judge,
    rewards: async (texts: readonly string[]) => {
      asked.push(texts);
      noise += 1e-7;
      return texts.map((text) => text.length + noise);
    },
  };
  const { rounds } = await search({ judge: noisy, candidateCount: 6, temperature: 0.4, topK: 2, maxTokens: 30 });
  let twinCount = 0;
  for (const [index, { candidates, chosen }] of rounds.entries()) {
    const texts = candidates.map(({ text }) => text);
    assert.deepEqual(asked[index], [...new Set(texts)]);
    assert.equal(chosen, texts.indexOf(texts[chosen] ?? ''));
    twinCount += texts.length - new Set(texts).size;
  }
  assert.notEqual(twinCount, 0, 'no two candidates were alike');
});

test('abort while candidates are decoded ends the search within a step', async () => {
  const controller = new AbortController();
  const options = await optionsOf({ signal: controller.signal, maxTokens: 400, rule: sentencesByText(200) });
  await withRoot(options, async (root, lease) => {
    const running = searchBestOfN(root, { ...options, rule: { ...options.rule, ends: () => false } }).next();
    const { stepCount: before } = await tiny.context.statistics();
    controller.abort();
    await assert.rejects(running, AbortError);
    const { stepCount } = await tiny.context.statistics();
    assert.ok(stepCount - before <= 16, `${stepCount - before} steps`);
    await lease.release();
  });
  await assertFreed();
});

test('abort while candidates are scored, and a judge that fails, leave nothing behind', async () => {
  const controller = new AbortController();
  const { judge } = await optionsOf({});
  const aborting = {
    ...judge,
    rewards: async () => {
      controller.abort();
      throw new AbortError(controller.signal);
    },
  };
  await assert.rejects(search({ judge: aborting, signal: controller.signal }), AbortError);
  await assertFreed();
  const failing = { ...judge, rewards: () => Promise.reject(new RangeError('no scores')) };
  await assert.rejects(search({ judge: failing }), RangeError);
  await assertFreed();
});

test('leaving the search early leaves nothing behind', async () => {
  const options = await optionsOf({});
  await withRoot(options, async (root) => {
    for await (const { round } of searchBestOfN(root, options)) if (round === 2) break;
  });
  await assertFreed();
});

test('the winners, many rounds deep, are what one sequence draws with their seeds', async () => {
  const options = await optionsOf({ candidateCount: 4, maxTokens: 60 });
  const found = await search({ candidateCount: 4, maxTokens: 60 });
  assert.ok(found.rounds.length >= 5, `${found.rounds.length} rounds`);
  const chosen = new Set(found.rounds.map((round) => round.chosen));
  assert.ok(chosen.size > 1, 'always the same index wins');
  await withRoot(options, async (root) => {
    let text = '';
    for (const round of found.rounds) {
      const winner = round.candidates[round.chosen];
      const decoded = await root.decode({
        sampler: { temperature: 1.5, topK: 5, seed: winner?.seed },
        maxTokens: Math.min(12, winner?.isFinal ? 12 : (winner?.tokenCount ?? 0)),
        pause: { set: options.endTokens, accept: (soFar) => options.rule.ends(soFar, text) },
      });
      assert.equal(decoded.text, winner?.text, `round ${round.round}`);
      text += decoded.text;
    }
  });
});
