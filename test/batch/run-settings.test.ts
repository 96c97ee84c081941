/** The settings of a batch: they stand in its results and decide, and what is not usual is one of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BatchSettings, ResultsFile, runBatch, seedOf, settingsOf, shardOf } from '../../src/batch/index.js';
import { loadEta } from '../../src/index.js';
import { packageRoot } from '../cli/command.js';
import { answers, contextSize, eta, fresh, quick, run, settings, textOf } from './run-fixture.js';

describe('the settings of the results decide', () => {
  const bound = { seed: 7, keepsTrace: true, repeatable: true, shard: '2/3' };

  test('seed, trace, what is left out, and which requests are asked', async () => {
    const path = fresh();
    const requests = quick(Array.from({ length: 12 }, (_, i) => `r${i}`));
    const ofShard = requests.filter(({ id }) => shardOf(id, 3) === 2).map(({ id }) => id);
    assert.ok(ofShard.length > 0 && ofShard.length < 12, 'expected a part of them');
    const { doneCount } = await run(path, { requests, ordered: true }, { bound });
    assert.equal(doneCount, ofShard.length);
    const found = await answers(path);
    assert.deepEqual(
      found.map(({ id, seed, timings }) => [id, seed, timings]),
      ofShard.map((id) => [id, seedOf(7, id), null]),
    );
    assert.ok(
      found.every(({ trace }) => trace !== undefined),
      'expected a trace in each',
    );
  });

  test('what is said otherwise is refused by its name, before anything is asked', async () => {
    for (const [name, value, own] of [
      ['seed', 8, 7],
      ['keepsTrace', false, true],
      ['repeatable', false, true],
    ] as const) {
      const path = fresh();
      await assert.rejects(run(path, { requests: quick(['a']), [name]: value }, { bound }), {
        name: 'UsageError',
        code: 'ERR_RESULTS_DIFFER',
        message: `${name}: expected ${own}, as the settings of ${JSON.stringify(path)} say, received ${value}. Leave it out, or begin another results file under it.`,
      });
      assert.equal(textOf(path), '');
      await run(path, { requests: quick(['a']), [name]: own }, { bound });
    }
  });

  test('settings of the caller’s own leave it to him', async () => {
    const path = fresh();
    await using results = await ResultsFile.open({ path, settings: { mine: true } });
    await runBatch({ eta, results, requests: quick(['a']), seed: 9, keepsTrace: true });
    const [line] = await answers(path);
    assert.equal(line?.seed, seedOf(9, 'a'));
    assert.notEqual(line?.trace, undefined);
  });

  test('they are checked, and tell the size of the context as it was loaded', async () => {
    assert.equal((await settingsOf(eta.facts, { seed: 1 }))['contextSize'], contextSize);
    for (const [decisions, message] of [
      [{ seed: -1 }, 'settingsOf: seed: expected an integer from 0 to 4294967295; received -1.'],
      [
        { seed: 1, shard: { index: 3, count: 2 } },
        'settingsOf: shard: expected an index from 1 to count; received an object (Object).',
      ],
    ] as const)
      await assert.rejects(settingsOf(eta.facts, decisions), { code: 'ERR_INVALID_OPTION', message });
  });
});

test('the numbers of the cache are a setting where they are not the usual ones', async () => {
  const decisions = { seed: 1 };
  assert.equal('cacheType' in (await settingsOf({ ...eta.facts, cacheType: 'f16' }, decisions)), false);
  assert.equal((await settingsOf({ ...eta.facts, cacheType: 'q8_0' }, decisions))['cacheType'], 'q8_0');
  assert.equal(eta.facts.cacheType, 'f16');
});

test('candidates in two helpings are a setting, and a line tells what was not drawn', async () => {
  const decisions = { seed: 1, repeatable: true, keepsTrace: true };
  const policyOf = (found: BatchSettings) => found['policy'] as Readonly<Record<string, unknown>>;
  assert.ok(!('firstCandidateCount' in policyOf(settings)), 'what was begun before there were any goes on');
  await using two = await loadEta({ contextSize, maxTokens: 64, firstCandidateCount: 2, acceptAbove: 0.1 });
  const bound = await settingsOf(two.facts, decisions);
  assert.deepEqual(
    [policyOf(bound)['firstCandidateCount'], policyOf(bound)['acceptAbove'], policyOf(bound)['candidateCount']],
    [2, 0.1, 5],
  );
  const path = fresh();
  const image = join(packageRoot, 'models/miniature/pictures/drawn-08.png');
  const requests = [{ id: 'a', request: { prompt: 'Explain how I can make this.', image } }];
  await run(path, { eta: two, requests }, { bound });
  const [line] = await answers(path);
  const rounds = line?.trace?.rounds ?? [];
  assert.ok(rounds.some(({ undrawnCount }) => undrawnCount === 3));
  const undrawn = rounds.reduce((sum, { undrawnCount = 0 }) => sum + undrawnCount, 0);
  assert.equal(line?.usage?.undrawnCandidateCount, undrawn);
  await assert.rejects(run(path, { requests }, { bound: { repeatable: true, keepsTrace: true } }), {
    code: 'ERR_RESULTS_DIFFER',
    message: /policy\.firstCandidateCount was 2, is not set/,
  });
});

test('gate and ladder are settings where they are named, and nothing where they are not', async () => {
  const { policy } = eta.facts;
  const settingsWith = async (change: Partial<typeof policy>) =>
    (await settingsOf({ ...eta.facts, policy: { ...policy, ...change } }, { seed: 1 }))['policy'] as object;
  const plain = await settingsWith({});
  for (const name of ['gate', 'ladder', 'refusingPrefix', 'captionPrompt', 'captionedPrompt'])
    assert.ok(!(name in plain), name);
  const { gate, ...others } = { gate: undefined, ...(await settingsWith({ gate: 'answer' })) };
  assert.deepEqual([gate, others], ['answer', plain]);
  const climbing = { ladder: [], refusingPrefix: '', ...(await settingsWith({ ladder: ['caption'] })) };
  assert.deepEqual([climbing.ladder, climbing.refusingPrefix], [['caption'], policy.refusingPrefix]);
});
