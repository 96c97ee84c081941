/** Work that several want at once: done once, for as long as anybody waits, and again by those whose forerunner failed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError, EngineError } from '../src/errors.js';
import { SharedWork } from '../src/shared-work.js';

/** Work of 30 ms that counts how often it was begun, and how often it was ended. */
function counted<Value>(value: () => Value) {
  const counts = { begun: 0, ended: 0 };
  const work = async (signal: AbortSignal) => {
    counts.begun++;
    try {
      await sleep(30, undefined, { signal });
    } catch {
      counts.ended++;
      throw new AbortError(signal);
    }
    return value();
  };
  return { counts, work };
}

test('who asks at once waits for one; who asks later, or for another, begins anew', async () => {
  const shared = new SharedWork<object>();
  const { counts, work } = counted(() => ({}));
  const [one, two, other] = await Promise.all([
    shared.run('a', work, undefined),
    shared.run('a', work, undefined),
    shared.run('b', work, undefined),
  ]);
  assert.equal(one, two);
  assert.notEqual(one, other);
  assert.notEqual(await shared.run('a', work, undefined), one);
  assert.deepEqual(counts, { begun: 3, ended: 0 });
});

test('whoever began may leave: it goes on for those who wait, and is ended when all have left', async () => {
  const shared = new SharedWork<number>();
  const { counts, work } = counted(() => 1);
  const leaving = new AbortController();
  const first = shared.run('a', work, leaving.signal);
  const second = shared.run('a', work, undefined);
  leaving.abort();
  await assert.rejects(first, AbortError);
  assert.equal(await second, 1);
  assert.deepEqual(counts, { begun: 1, ended: 0 });
  const all = new AbortController();
  const both = [1, 2].map(() => shared.run('a', work, all.signal));
  all.abort();
  for (const one of both) await assert.rejects(one, AbortError);
  assert.equal(await shared.run('a', work, undefined), 1);
  assert.deepEqual(counts, { begun: 3, ended: 1 });
});

test('a failure is that of whoever began: the others try for themselves, and hear of their own', async () => {
  const shared = new SharedWork<number>();
  let failuresLeft = 1;
  const { counts, work } = counted(() => {
    if (failuresLeft-- > 0) throw new EngineError('ERR_THREADS', 'planted');
    return 1;
  });
  const [failed, ...others] = await Promise.allSettled([1, 2, 3].map(() => shared.run('a', work, undefined)));
  assert.equal(failed?.status, 'rejected');
  assert.deepEqual(others, [
    { status: 'fulfilled', value: 1 },
    { status: 'fulfilled', value: 1 },
  ]);
  assert.deepEqual(counts, { begun: 2, ended: 0 });
  failuresLeft = 9;
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => shared.run('a', work, undefined)));
  assert.deepEqual([outcomes.map(({ status }) => status), counts.begun], [Array(3).fill('rejected'), 5]);
});
