import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { galleryRequests } from '../../bench/gallery-requests.js';
import {
  type AnswerLine,
  type BatchProgress,
  type BatchRequest,
  type BatchSettings,
  ResultsFile,
  type RunBatchOptions,
  readAnswers,
  readRequests,
  runBatch,
  seedOf,
  settingsOf,
  shardOf,
} from '../../src/batch/index.js';
import { type Eta, type EtaRequest, loadEta } from '../../src/index.js';
import { REFUSAL_TEXT } from '../../src/policy/index.js';
import { packageRoot } from '../cli/command.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-run-'));
const contextSize = 6144;
let eta: Eta;
let settings: BatchSettings;
before(async () => {
  eta = await loadEta({ contextSize, sequenceCount: 64, maxTokens: 64 });
  settings = await settingsOf(eta.facts, { seed: 1, repeatable: true });
});
after(async () => {
  await eta.dispose();
  rmSync(folder, { recursive: true });
});

let count = 0;
const fresh = () => join(folder, `${++count}.jsonl`);
/** Short answers that need no picture: of the real engine, in milliseconds. */
const quick = (ids: readonly string[]): BatchRequest[] =>
  ids.map((id) => ({ id, request: { prompt: `What is ${id}?`, method: 'vanilla', maxTokens: 3 } }));
const asked = (requestCount: number): BatchRequest[] =>
  galleryRequests(requestCount).map(({ id, ...request }) => ({ id, request }));

async function run(
  path: string,
  options: Partial<RunBatchOptions> & Pick<RunBatchOptions, 'requests'>,
  { retryErrors = false, bound = {} }: { readonly retryErrors?: boolean; readonly bound?: BatchSettings } = {},
) {
  const all = { ...settings, ...bound };
  await using results = await ResultsFile.open({ path, settings: all, resume: true, retryErrors });
  return await runBatch({ eta, results, ...options });
}
async function answers(path: string): Promise<AnswerLine[]> {
  const found: AnswerLine[] = [];
  for await (const answer of readAnswers(path)) found.push(answer);
  return found;
}
const textOf = (path: string) => readFileSync(path, 'utf8');

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

describe('the signal of a request', () => {
  const words: BatchRequest['request'] = { prompt: 'What is a?', method: 'vanilla', maxTokens: 64 };

  test('ends that request alone; its line says so, and it can be asked again', async () => {
    const path = fresh();
    const controller = new AbortController();
    const stopped: BatchRequest = { id: 'stopped', request: { ...words, signal: controller.signal } };
    const [first, other] = quick(['first', 'other']) as [BatchRequest, BatchRequest];
    const onProgress = () => controller.abort(); // when the first is answered
    const requests = [first, stopped, other];
    const { tally } = await run(path, { requests, concurrency: 1, onProgress });
    assert.deepEqual([tally.answeredCount, tally.errorCount], [2, 1]);
    const failed = (await answers(path)).find(({ id }) => id === 'stopped');
    assert.equal(failed?.error?.code, 'ERR_ABORTED');
    const again = { id: 'stopped', request: { ...words, signal: new AbortController().signal } };
    const retried = await run(path, { requests: [first, again, other] }, { retryErrors: true });
    assert.deepEqual([retried.tally.answeredCount, retried.tally.errorCount], [3, 0]);
    await run(path, { requests: [first, { id: 'stopped', request: words }, other] }); // the same request without it
  });

  test('ends a request that is under way', async () => {
    const path = fresh();
    const signal = AbortSignal.timeout(5);
    const slow: BatchRequest = { id: 'slow', request: { ...(asked(1)[0] as BatchRequest).request, signal } };
    await run(path, { requests: [slow] });
    assert.equal((await answers(path))[0]?.error?.code, 'ERR_ABORTED');
  });

  test('does not keep the batch’s from ending it, and must be a signal', async () => {
    const path = fresh();
    const controller = new AbortController();
    const requests = quick(['a', 'b']).map(({ id, request }) => ({
      id,
      request: { ...request, signal: new AbortController().signal },
    }));
    const onProgress = () => controller.abort();
    const stopped = run(path, { requests, concurrency: 1, signal: controller.signal, onProgress });
    await assert.rejects(stopped, { name: 'AbortError' });
    const wrong = { id: 'wrong', request: { ...words, signal: {} as AbortSignal } };
    await run(path, { requests: [wrong] });
    assert.match((await answers(path)).at(-1)?.error?.message ?? '', /signal: expected an AbortSignal/);
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

describe('requests that fail', () => {
  test('leave a line that tells why, and the others are answered', async () => {
    const path = fresh();
    const file = join(folder, 'requests.jsonl');
    const good = '"method":"vanilla","maxTokens":3';
    const lines = [
      `{"id":"good","prompt":"What?",${good}}`,
      '{"id":"torn","prompt":',
      `{"id":"good","prompt":"Again?",${good}}`,
      `{"id":"picture","prompt":"What?","image":"none.png",${good}}`,
      `{"id":"option","promt":"What?",${good}}`,
      `{"id":"long","prompt":"${'word '.repeat(20_000)}",${good}}`,
      `{"id":"wide","prompt":"What?","candidateCount":200,"method":"eta"}`,
      `{"prompt":"No name?",${good}}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const { tally } = await run(path, { requests: readRequests(file), concurrency: 2, ordered: true });
    assert.deepEqual(
      (await answers(path)).map(({ id, line, error }) => [id, line, error?.code ?? null]),
      [
        ['good', 1, null],
        [null, 2, 'ERR_INVALID_LINE'],
        [null, 3, 'ERR_DUPLICATE_ID'],
        ['picture', 4, 'ERR_IMAGE_NOT_FOUND'],
        ['option', 5, 'ERR_UNKNOWN_OPTION'],
        ['long', 6, 'ERR_PROMPT_TOO_LONG'],
        ['wide', 7, 'ERR_CACHE_FULL'],
        ['line-8', 8, null],
      ],
    );
    assert.deepEqual([tally.answeredCount, tally.errorCount], [2, 6]);
    const [, , doubled, picture, option] = await answers(path);
    assert.match(doubled?.error?.message ?? '', /"good" in place 1 and again in place 3 of the requests/);
    assert.match(picture?.error?.message ?? '', new RegExp(`${folder}/none\\.png`));
    assert.match(option?.error?.message ?? '', /unknown option 'promt'. Did you mean 'prompt'\?/);

    const before = textOf(path);
    const again = await run(path, { requests: readRequests(file), ordered: true });
    assert.deepEqual([again.keptCount, again.doneCount], [8, 8], 'nothing is asked again');
    assert.equal(textOf(path), before);

    lines[1] = `{"id":"torn","prompt":"Mended?",${good}}`;
    writeFileSync(file, `${lines.join('\n')}\n`);
    const mended = await run(path, { requests: readRequests(file), ordered: true });
    assert.deepEqual([mended.keptCount, mended.tally.errorCount], [7, 5]);
    assert.equal((await answers(path))[1]?.id, 'torn', 'the refusal of a line that was mended goes');

    lines[4] = `{"id":"option","prompt":"What?",${good}}`;
    writeFileSync(file, `${lines.join('\n')}\n`);
    await assert.rejects(run(path, { requests: readRequests(file) }), {
      code: 'ERR_RESULTS_DIFFER',
      message: /The request "option", in place 5, failed before.*retryErrors/,
    });
    const retried = await run(path, { requests: readRequests(file), ordered: true }, { retryErrors: true });
    assert.deepEqual([retried.keptCount, retried.tally.answeredCount, retried.tally.errorCount], [3, 4, 4]);
  });

  test('another request under an id that was answered is refused, not passed over', async () => {
    const path = fresh();
    await run(path, { requests: quick(['a', 'b']) });
    const [a, b] = quick(['a', 'b']) as [BatchRequest, BatchRequest];
    const changed = { ...b, request: { prompt: 'Something else?' } };
    await assert.rejects(run(path, { requests: [a, changed] }), {
      code: 'ERR_RESULTS_DIFFER',
      message: /Expected the request that ".*" answers under the id "b", received another in place 2/,
    });
  });

  test('more than the context holds at once waits; nothing is refused for it', async () => {
    const path = fresh();
    const requests = asked(6).map(({ id, request }) => ({ id, request: { ...request, maxTokens: 1500 } }));
    const { tally } = await run(path, { requests, concurrency: 6 });
    assert.deepEqual([tally.errorCount, tally.lineCount], [0, 6]);
  });
});

describe('stopped', () => {
  test('by the signal: what was answered is kept, and the rest is answered later', async () => {
    const [path, whole] = [fresh(), fresh()] as const;
    const requests = asked(12);
    const controller = new AbortController();
    const onProgress = ({ doneCount }: BatchProgress) => {
      if (doneCount === 4) controller.abort('enough');
    };
    await assert.rejects(run(path, { requests, concurrency: 3, signal: controller.signal, onProgress }), {
      name: 'AbortError',
      cause: 'enough',
    });
    const keptCount = (await answers(path)).length;
    assert.ok(keptCount >= 4 && keptCount < 12, `${keptCount} of 12 were answered`);
    assert.equal((await run(path, { requests, ordered: true })).keptCount, keptCount);
    await run(whole, { requests, ordered: true });
    assert.equal(textOf(path), textOf(whole));
    const { liveSequenceCount, keptSequenceCount } = await eta.statistics();
    assert.equal(liveSequenceCount, keptSequenceCount);
    await assert.rejects(run(path, { requests, signal: controller.signal }), { name: 'AbortError' });
  });

  test('while its source never answers', async () => {
    const controller = new AbortController();
    async function* stuck(): AsyncGenerator<BatchRequest, void> {
      yield* quick(['a']);
      await new Promise(() => undefined);
    }
    const onProgress = () => setImmediate(() => controller.abort());
    await assert.rejects(run(fresh(), { requests: stuck(), signal: controller.signal, onProgress }), {
      name: 'AbortError',
    });
  });

  test('by a source or a callback that throws: its error comes out, answers stay', async () => {
    const path = fresh();
    function* broken(): Generator<BatchRequest, void> {
      yield* quick(['a', 'b']);
      throw new RangeError('the source broke');
    }
    await assert.rejects(run(path, { requests: broken(), concurrency: 1 }), {
      name: 'RangeError',
      message: 'the source broke',
    });
    assert.equal((await answers(path)).length, 2);
    await assert.rejects(run(fresh(), { requests: broken(), concurrency: 4 }), {
      name: 'RangeError', // not that of those who were stopped for it
    });
    const onProgress = () => {
      throw new RangeError('the callback broke');
    };
    await assert.rejects(run(path, { requests: quick(['c']), onProgress }), { message: 'the callback broke' });
  });

  test('by the end of its Eta', async () => {
    const other = await loadEta({ maxTokens: 16 });
    const onProgress = () => void other.dispose();
    await assert.rejects(run(fresh(), { eta: other, requests: asked(20), concurrency: 2, onProgress }), {
      code: 'ERR_DISPOSED',
    });
    await other.dispose();
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

test('cut at any byte of its last two lines and resumed, the file is that of an unbroken run', async () => {
  const [path, whole] = [fresh(), fresh()] as const;
  const requests = quick(['a', 'b', 'c']);
  await run(whole, { requests, concurrency: 1 });
  await run(path, { requests, concurrency: 1 });
  const bytes = readFileSync(whole);
  const firstEnd = bytes.indexOf(0x0a) + 1;
  for (let size = firstEnd; size <= bytes.length; size++) {
    writeFileSync(path, bytes.subarray(0, size));
    await run(path, { requests, concurrency: 1 });
    assert.ok(readFileSync(path).equals(bytes), `cut at ${size} of ${bytes.length}`);
  }
});

test('a stop tells of a disk that did not take what was promised', async () => {
  const path = fresh();
  const probe = await open(path, 'a');
  const handles: { datasync: () => Promise<void> } = Object.getPrototypeOf(probe);
  await probe.close();
  const { datasync } = handles;
  const stop = new AbortController();
  const onProgress = () => {
    handles.datasync = () => Promise.reject(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }));
    stop.abort();
  };
  try {
    const failed = { name: 'FileError', code: 'ERR_FILE_WRITE', message: /EIO/ };
    await assert.rejects(run(path, { requests: quick(['a', 'b']), signal: stop.signal, onProgress }), failed);
  } finally {
    handles.datasync = datasync;
  }
  const control = new AbortController();
  const stopped = run(path, { requests: quick(['c']), signal: control.signal, onProgress: () => control.abort() });
  await assert.rejects(stopped, { name: 'AbortError' });
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
