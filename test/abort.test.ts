/** Hearing a signal: one listener however many wait, none when they are done. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { followAbort, onAbort, orAbort } from '../src/abort.js';
import { AbortError } from '../src/errors.js';

const listenerCount = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;
const never = () => new Promise<never>(() => undefined);

test('a hundred that wait are one listener, which goes with the last of them', () => {
  const controller = new AbortController();
  const { signal } = controller;
  let called = 0;
  const takeBacks = Array.from({ length: 100 }, () => onAbort(signal, () => called++));
  assert.equal(listenerCount(signal), 1);
  for (const takeBack of takeBacks) {
    assert.equal(listenerCount(signal), 1);
    takeBack();
    takeBack();
  }
  assert.equal(listenerCount(signal), 0);
  controller.abort();
  assert.equal(called, 0);
});

test('each is called once, in order; who was taken back on the way is not', () => {
  const controller = new AbortController();
  const calls: string[] = [];
  onAbort(controller.signal, () => {
    calls.push('a');
    takeBack();
  });
  const takeBack = onAbort(controller.signal, () => calls.push('b'));
  onAbort(controller.signal, () => {
    calls.push('c');
    onAbort(controller.signal, () => calls.push('d')); // it has fired: at once
  });
  controller.abort();
  controller.abort();
  assert.deepEqual(calls, ['a', 'c', 'd']);
  assert.equal(listenerCount(controller.signal), 0);
});

test('a signal that has fired, and none at all', () => {
  let called = 0;
  onAbort(AbortSignal.abort(), () => called++)();
  assert.equal(called, 1);
  onAbort(undefined, () => called++)();
  assert.equal(called, 1);
});

test('a controller follows with the reason', () => {
  const [outer, inner] = [new AbortController(), new AbortController()];
  followAbort(outer.signal, inner);
  outer.abort('why');
  assert.equal(inner.signal.reason, 'why');
});

test('orAbort: the value, the error, or the abort, and nothing stays on the signal', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  assert.equal(await orAbort(Promise.resolve(1), signal), 1);
  await assert.rejects(orAbort(Promise.reject(new RangeError('x')), signal), RangeError);
  assert.equal(listenerCount(signal), 0);
  const waiting = Array.from({ length: 20 }, () => orAbort(never(), signal));
  assert.equal(listenerCount(signal), 1);
  controller.abort('why');
  for (const one of await Promise.allSettled(waiting)) {
    assert.ok(one.status === 'rejected' && one.reason instanceof AbortError && one.reason.cause === 'why');
  }
  assert.equal(listenerCount(signal), 0);
});

test('orAbort gives away what comes late, and drops a late error', async () => {
  const controller = new AbortController();
  const late: number[] = [];
  let resolve: (value: number) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const first = orAbort(new Promise<number>((done) => (resolve = done)), controller.signal, (value) =>
    late.push(value),
  );
  const second = orAbort(new Promise<number>((_, fail) => (reject = fail)), controller.signal);
  controller.abort();
  await assert.rejects(first, AbortError);
  await assert.rejects(second, AbortError);
  resolve(7);
  reject(new Error('nobody waits'));
  await setImmediate();
  assert.deepEqual(late, [7]);
});
