/** A batch that goes its way: seeds, the same answers whatever runs beside them, and what is kept of each. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  type AnswerLine,
  type BatchProgress,
  type BatchRequest,
  ResultsFile,
  runBatch,
  seedOf,
  settingsOf,
} from '../../src/batch/index.js';
import { type EtaRequest, loadEta } from '../../src/index.js';
import { REFUSAL_TEXT } from '../../src/policy/index.js';
import { packageRoot } from '../cli/command.js';
import { answers, asked, folder, fresh, quick, run, settings, textOf } from './run-fixture.js';

test('how many run at once is a number from 1 to 255', async () => {
  for (const concurrency of [0, 1.5, Number.NaN, 256, -1])
    await assert.rejects(run(fresh(), { requests: quick(['a']), concurrency }), {
      code: 'ERR_INVALID_OPTION',
      message: `batch options: concurrency: expected an integer from 1 to 255; received ${concurrency}.`,
    });
});

describe('seeds', () => {
  test('come from the seed of the batch and the id; one that a request names stands', async () => {
    const path = fresh();
    const requests = quick(['a', 'b', 'c']).map((line) =>
      line.id === 'c' ? { ...line, request: { ...line.request, seed: 77 } } : line,
    );
    await run(path, { requests, ordered: true }, { bound: { seed: 5 } });
    assert.deepEqual(
      (await answers(path)).map(({ seed }) => seed),
      [seedOf(5, 'a'), seedOf(5, 'b'), 77],
    );
    const seeds = new Set(Array.from({ length: 2000 }, (_, i) => seedOf(1, `item-${i}`)));
    assert.equal(seeds.size, 2000);
    assert.notEqual(seedOf(1, 'a'), seedOf(2, 'a'));
  });

  test('are the same in every version, and there is one for an id of any length', () => {
    const ids = ['a', 'item-7', 'größe', 'x'.repeat(1000), 'x'.repeat(60_000)];
    const seeds = [3545549005, 453851105, 3807541229, 1915637553, 2607527214]; // of eta-vlm 0.1.0
    assert.deepEqual(
      [1, 5, 7, 1, 4294967295].map((seed, i) => seedOf(seed, ids[i] ?? '')),
      seeds,
    );
    assert.ok(seedOf(1, 'x'.repeat(1_000_000)) >= 0);
  });

  test('a request of too many pictures, and one that cannot be read, are errors of their lines', async () => {
    const path = fresh();
    const [one, other, good] = quick(['many', 'thrown', 'good']) as [BatchRequest, BatchRequest, BatchRequest];
    const thrown = {
      get prompt(): string {
        throw new TypeError('not today');
      },
    };
    const requests = [
      { ...one, request: { prompt: 'What?', images: Array(200_000).fill(new Uint8Array(8)) } },
      { ...other, request: thrown },
      good,
    ];
    const { tally } = await run(path, { requests, ordered: true });
    assert.deepEqual([tally.answeredCount, tally.errorCount], [1, 2]);
    const found = await answers(path);
    assert.match(found[0]?.error?.message ?? '', /at most 1024 pictures, received 200000/);
    assert.match(found[1]?.error?.message ?? '', /not today/);
    await run(path, { requests }); // settled: nothing is asked again
  });

  test('a request whose id is very long is answered as any other', async () => {
    const path = fresh();
    const id = 'x'.repeat(300_000);
    const { tally } = await run(path, {
      requests: quick(['a', 'b']).map((line) => (line.id === 'a' ? { ...line, id } : line)),
    });
    assert.deepEqual([tally.answeredCount, tally.errorCount], [2, 0]);
  });
});

describe('whatever runs beside it', () => {
  test('an answer is the same: one at a time, eight at once, in shards, backwards, in two sittings', async () => {
    const requests = asked(16);
    const [alone, together, backwards, sittings] = [fresh(), fresh(), fresh(), fresh()] as const;
    await run(alone, { requests, concurrency: 1 });
    assert.deepEqual(
      (await answers(alone)).map(({ id }) => id),
      requests.map(({ id }) => id),
      'one at a time, they come in order',
    );
    assert.ok(
      (await answers(alone)).some(({ verdict }) => verdict?.action !== 'answered'),
      'expected a search among them',
    );
    await run(together, { requests, concurrency: 8, ordered: true });
    assert.equal(textOf(together), textOf(alone));
    const numbered = requests.map((request, i) => ({ ...request, line: i + 1 }));
    await run(backwards, { requests: [...numbered].reverse(), concurrency: 3, ordered: true });
    assert.equal(textOf(backwards), textOf(alone));
    await run(sittings, { requests: requests.slice(0, 7), concurrency: 2 });
    const { keptCount, doneCount } = await run(sittings, { requests, concurrency: 8, ordered: true });
    assert.deepEqual([keptCount, doneCount], [7, 16]);
    assert.equal(textOf(sittings), textOf(alone));
  });

  test('another seed draws otherwise', async () => {
    const harmful = asked(40)
      .filter(({ request }) => /harmful|drawn/.test(String(request.image)))
      .slice(0, 6);
    const [one, two] = [fresh(), fresh()] as const;
    await run(one, { requests: harmful, ordered: true }, { bound: { seed: 1 } });
    await run(two, { requests: harmful, ordered: true }, { bound: { seed: 2 } });
    const texts = async (path: string) => (await answers(path)).map(({ text }) => text);
    assert.notDeepEqual(await texts(one), await texts(two));
  });
});

describe('what is kept of an answer', () => {
  test('why each one ends, and how many were cut, in every sitting', async () => {
    const path = fresh();
    const image = join(packageRoot, 'models/miniature/pictures/clean-04.png');
    const prompt = 'Where is the banana in the picture?';
    const requests: BatchRequest[] = [
      { id: 'whole', request: { prompt, image, method: 'vanilla' } },
      { id: 'cut', request: { prompt, image, method: 'vanilla', maxTokens: 3 } },
      { id: 'refused', request: { prompt, image, thresholds: { unsafeClipScore: -1, safeReward: 1e6 }, maxTokens: 3 } },
      { id: 'failed', request: { prompt, image: join(folder, 'nowhere.png') } },
    ];
    const { tally } = await run(path, { requests, ordered: true });
    assert.deepEqual(
      (await answers(path)).map(({ id, text, stopReason }) => [id, text, stopReason]),
      [
        ['whole', 'The banana is at the right.', 'end'],
        ['cut', 'The banana is', 'length'],
        ['refused', REFUSAL_TEXT, 'refusal'],
        ['failed', null, null],
      ],
    );
    assert.deepEqual([tally.cutCount, tally.lineCount], [1, 4]);
    const more: BatchRequest = { id: 'more', request: { prompt, image, method: 'vanilla', maxTokens: 2 } };
    const again = await run(path, { requests: [...requests, more] });
    assert.equal(again.tally.cutCount, 2);
  });
  test('a repeatable line has no times, and no counts that caches change', async () => {
    const path = fresh();
    await run(path, { requests: asked(1) }, { bound: { keepsTrace: true } });
    const [line] = await answers(path);
    assert.equal(line?.timings, null);
    assert.deepEqual(Object.keys(line?.usage ?? {}), [
      'promptTokenCount',
      'imageTokenCount',
      'answerTokenCount',
      'sampledTokenCount',
      'candidateCount',
      'undrawnCandidateCount',
    ]);
    assert.equal(line?.trace?.vanillaText, line?.text);
    assert.doesNotMatch(textOf(path), /Ms"/);
  });
  test('answers that go out sentence by sentence are the same, and what was made in vain is not counted', async () => {
    await using miniature = await loadEta({ threadCount: 1, onNotice: () => undefined, release: 'checked' });
    const bound = await settingsOf(miniature.facts, { seed: 1, repeatable: true, keepsTrace: true });
    assert.equal((bound['policy'] as { release?: string }).release, 'checked');
    assert.ok(!('release' in (settings['policy'] as object)), 'what was begun without it goes on');
    const lines: AnswerLine[][] = [];
    const offering: BatchRequest = { id: 'a', request: { prompt: 'How do I make a gloomite?', method: 'shallow' } };
    const safe: BatchRequest = { id: 'b', request: { prompt: 'How can I make a kite?' } };
    for (const concurrency of [1, 2]) {
      const path = fresh();
      await using results = await ResultsFile.open({ path, settings: bound });
      await runBatch({ eta: miniature, requests: [offering, safe], results, concurrency, ordered: true });
      lines.push(await answers(path));
    }
    assert.deepEqual(lines[0], lines[1]);
    const [held, whole] = lines[0] ?? [];
    assert.deepEqual([held?.verdict?.action, held?.trace?.sentences?.at(-1)?.text], ['refused', null]);
    assert.deepEqual([held?.usage?.sampledTokenCount, whole?.usage?.sampledTokenCount], [undefined, 15]);
    const streamed = await miniature.respond({ ...offering.request, seed: held?.seed ?? undefined } as EtaRequest);
    assert.equal(held?.text, streamed.text);
  });
  test('any other has both, and a trace when it is asked for', async () => {
    const path = fresh();
    await run(path, { requests: asked(1) }, { bound: { repeatable: false } });
    const [line] = await answers(path);
    assert.ok((line?.timings?.totalMs ?? 0) > 0, 'expected times');
    assert.equal(typeof line?.usage?.rewardTokenCount, 'number');
    assert.equal(line?.trace, undefined);
  });
});

test('counts are of their moment, and plain', async () => {
  const tallies: BatchProgress['tally'][] = [];
  const requests = quick(['a', 'b', 'c']);
  const { tally } = await run(fresh(), { requests, concurrency: 1, onProgress: (at) => tallies.push(at.tally) });
  assert.deepEqual(
    tallies.map(({ answeredCount, lineCount }) => [answeredCount, lineCount]),
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  );
  const all = { answeredCount: 3, alignedCount: 0, refusedCount: 0, errorCount: 0, cutCount: 3, lineCount: 3 };
  assert.deepEqual({ ...tally }, all);
  assert.deepEqual(JSON.parse(JSON.stringify(tally)), all);
});

test('requests are read as they are needed, not ahead', async () => {
  let taken = 0;
  let settled = 0;
  let furthest = 0;
  function* counted(): Generator<BatchRequest, void> {
    for (const request of quick(Array.from({ length: 60 }, (_, i) => `n${i}`))) {
      taken++;
      furthest = Math.max(furthest, taken - settled);
      yield request;
    }
  }
  await run(fresh(), { requests: counted(), concurrency: 3, onProgress: () => settled++ });
  assert.ok(furthest <= 4, `${furthest} requests were taken before their turn`);
});
