/** Stopping in every phase, disposing during work, several at once: nothing hangs, nothing is left behind. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { AbortError, type Eta, type EtaEvent, type EtaRequest, UsageError } from '../../src/index.js';
import { assertFreed, CLEAN, collect, loadTiny, pictures, QUESTION, UNSAFE } from './tiny.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(() => eta.dispose());

const LONG: EtaRequest = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return', maxTokens: 120 };

test('a signal that has fired is heard before any work', async () => {
  const reason = new RangeError('too late');
  await assert.rejects(eta.respond({ ...LONG, signal: AbortSignal.abort(reason) }), (error) => {
    assert.ok(error instanceof AbortError, String(error));
    assert.equal(error.code, 'ERR_ABORTED');
    assert.equal(error.cause, reason);
    return true;
  });
  await assertFreed(eta, 'at once');
});

for (const type of ['picture', 'vanilla', 'answer', 'text', 'round'] as const) {
  test(`abort at the first ${type} event`, async () => {
    const controller = new AbortController();
    const seen: EtaEvent['type'][] = [];
    await assert.rejects(async () => {
      for await (const event of eta.stream({ ...LONG, signal: controller.signal })) {
        seen.push(event.type);
        if (event.type === type) controller.abort();
      }
    }, AbortError);
    assert.ok(seen.includes(type));
    assert.ok(!seen.includes('done'));
    await assertFreed(eta, type);
  });

  test(`leaving the loop at the first ${type} event`, async () => {
    for await (const event of eta.stream(LONG)) {
      if (event.type === type) break;
    }
    await assertFreed(eta, type);
  });
}

test('leaving the loop stops the work', async () => {
  const steps = async (work: () => Promise<unknown>) => {
    const { stepCount } = await eta.statistics();
    await work();
    return (await eta.statistics()).stepCount - stepCount;
  };
  const whole = await steps(() => collect(eta, LONG));
  const left = await steps(async () => {
    for await (const { type } of eta.stream(LONG)) if (type === 'vanilla') break;
  });
  assert.ok(left < 0.8 * whole, `${left} of ${whole} steps`);
});

test('abort after any number of milliseconds', async () => {
  const { timings } = await eta.respond(LONG);
  let abortedCount = 0;
  for (let i = 0; i < 24; i++) {
    const controller = new AbortController();
    const work = eta.respond({ ...LONG, signal: controller.signal });
    const timer = setTimeout((i / 24) * timings.totalMs).then(() => controller.abort());
    await work.catch((error: unknown) => {
      assert.ok(error instanceof AbortError, String(error));
      abortedCount++;
    });
    await timer;
    await assertFreed(eta, `after ${i} of 24`);
  }
  assert.ok(abortedCount > 6, `${abortedCount} were aborted`);
});

test('the work ends soon after the signal', async () => {
  const controller = new AbortController();
  let abortedAt = 0;
  await assert.rejects(async () => {
    for await (const event of eta.stream({ ...LONG, signal: controller.signal })) {
      if (event.type !== 'round') continue;
      abortedAt = performance.now();
      controller.abort();
    }
  }, AbortError);
  const tookMs = performance.now() - abortedAt;
  assert.ok(tookMs < 500, `${tookMs} ms`);
});

test('one stream aborted, the other goes on to the same result', async () => {
  const alone = await eta.respond(QUESTION);
  const controller = new AbortController();
  const aborted = assert.rejects(eta.respond({ ...LONG, signal: controller.signal }), AbortError);
  const other = eta.respond(QUESTION);
  await setTimeout(20);
  controller.abort();
  await aborted;
  assert.equal((await other).text, alone.text);
  await assertFreed(eta, 'both');
});

test('a stream that nobody reads starts nothing, and a wrong request is told at once', async () => {
  const { stepCount } = await eta.statistics();
  eta.stream(LONG);
  await setTimeout(20);
  assert.equal((await eta.statistics()).stepCount, stepCount);
  assert.throws(() => eta.stream({ prompt: '' }), { code: 'ERR_INVALID_REQUEST' });
  assert.throws(() => eta.stream(LONG, { sginal: undefined } as object), {
    message: "stream options: unknown option 'sginal'. Did you mean 'signal'?",
  });
});

test('what fails midway frees what it had', async () => {
  await assert.rejects(eta.respond({ ...QUESTION, image: '/nowhere.png' }), { code: 'ERR_IMAGE_NOT_FOUND' });
  await assert.rejects(eta.respond({ ...QUESTION, prompt: 'word '.repeat(5000) }), { code: 'ERR_PROMPT_TOO_LONG' });
  await assert.rejects(eta.respond({ ...QUESTION, candidateCount: 64, thresholds: UNSAFE }), {
    code: 'ERR_CACHE_FULL',
  });
  await assertFreed(eta, 'failures');
});

test('more requests than the context holds wait their turn, and give what they give alone', async () => {
  const requests = [0, 1, 2, 3, 4, 5].map(
    (seed): EtaRequest => ({
      ...QUESTION,
      image: pictures[(seed % 3) as 0 | 1 | 2],
      seed,
      thresholds: seed % 2 === 0 ? CLEAN : UNSAFE,
      whenStillUnsafe: 'return',
    }),
  );
  await using narrow = await loadTiny({ contextSize: 512, sequenceCount: 5 });
  const together = await Promise.all(requests.map((request) => narrow.respond(request)));
  for (const [i, request] of requests.entries()) {
    assert.equal(together[i]?.text, (await narrow.respond(request)).text, `request ${i}`);
  }
  await assertFreed(narrow, 'all');
});

test('a request that waits for room can be aborted, and disposed of', async () => {
  const narrow = await loadTiny({ contextSize: 256, sequenceCount: 4 });
  const first = narrow.respond({ ...LONG, maxTokens: 100 }).catch((error: unknown) => error);
  const controller = new AbortController();
  const second = narrow.respond({ ...QUESTION, signal: controller.signal });
  const third = narrow.respond(QUESTION);
  const late = assert.rejects(third, disposed);
  await setTimeout(10);
  controller.abort();
  await assert.rejects(second, AbortError);
  await narrow.dispose();
  await late;
  disposed(await first);
});

test('twenty candidates, and twenty requests, warn of no leak', async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => warnings.push(warning.message);
  process.on('warning', listen);
  await eta.respond({ ...LONG, candidateCount: 20, maxTokens: 30 });
  await Promise.all(Array.from({ length: 20 }, (_, seed) => eta.respond({ ...LONG, seed, maxTokens: 20 })));
  await setTimeout(10);
  process.off('warning', listen);
  assert.deepEqual(warnings, []);
});

test('two at once do not know of each other', async () => {
  const [one, two] = await Promise.all([loadTiny(), loadTiny({ policy: 'paper' })]);
  await eta.forget(); // to the last bit as one that is new
  const [a, b, c] = await Promise.all([one.respond(LONG), two.respond(LONG), eta.respond(LONG)]);
  assert.equal(a.text, c.text);
  assert.deepEqual([a.trace.policy, b.trace.policy], ['standard', 'paper']);
  await one.dispose();
  await two.forget();
  assert.equal((await two.respond({ ...LONG, reuse: false })).text, b.text);
  await two.dispose();
});

test('dispose during work: requests reject, streams end, nothing hangs', async () => {
  for (const delayMs of [0, 5, 30, 80]) {
    const mine = await loadTiny();
    const responding = assert.rejects(mine.respond(LONG), disposed);
    const streaming = assert.rejects(collect(mine, LONG), disposed);
    await setTimeout(delayMs);
    await Promise.all([mine.dispose(), mine.dispose()]);
    await Promise.all([responding, streaming]);
    await assert.rejects(mine.respond(LONG), disposed);
    assert.throws(() => mine.stream(LONG), disposed);
    await assert.rejects(mine.statistics(), disposed);
    await mine.dispose();
  }
});

test('a stream in the hands of a consumer that pauses ends with dispose', async () => {
  const mine = await loadTiny();
  const stream = mine.stream(LONG);
  assert.equal((await stream.next()).done, false);
  await mine.dispose();
  await assert.rejects(async () => {
    while ((await stream.next()).done !== true);
  }, disposed);
});

function disposed(error: unknown): boolean {
  assert.ok(error instanceof UsageError, String(error));
  assert.equal(error.code, 'ERR_DISPOSED');
  return true;
}

test('the signal given to stream takes the place of the request’s, and the request is read as respond reads it', async () => {
  const never = new AbortController().signal;
  const events = eta.stream({ ...LONG, signal: never }, { signal: AbortSignal.abort() });
  await assert.rejects(events.next(), AbortError);
  const inherited = Object.create({ ...LONG, maxTokens: 2 }) as EtaRequest;
  for await (const event of eta.stream(inherited, { signal: never })) if (event.type === 'done') return;
  assert.fail('no answer');
});
