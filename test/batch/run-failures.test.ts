/** A batch in which something fails, and one that is stopped: what is kept, and how it goes on. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type BatchProgress, type BatchRequest, readRequests } from '../../src/batch/index.js';
import { loadEta } from '../../src/index.js';
import { answers, asked, eta, folder, fresh, quick, run, textOf } from './run-fixture.js';

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
