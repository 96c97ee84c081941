/** Who may start: order, room, and what an abort or the end of the context does to those who wait. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from '../../src/engine/admission.js';
import { AbortError, EtaError, UsageError } from '../../src/errors.js';

const demand = (cellCount: number, sequenceCount = 1) => ({ cellCount, sequenceCount });

/** Names of those that were let in, in order. */
function watch() {
  const order: string[] = [];
  const enter = async (admission: Admission, name: string, cells: number, sequences = 1, signal?: AbortSignal) => {
    const reservation = await admission.reserve(demand(cells, sequences), signal);
    order.push(name);
    return reservation;
  };
  return { order, enter };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('first come, first served: a small one does not overtake a large one', async () => {
  const admission = new Admission(demand(100, 10));
  const { order, enter } = watch();
  const first = await enter(admission, 'first', 60);
  const large = enter(admission, 'large', 70);
  const small = enter(admission, 'small', 10);
  await turn();
  assert.deepEqual(order, ['first']);
  assert.equal(admission.waitingCount, 2);
  first.release();
  first.release(); // gives back once
  (await large).release();
  (await small).release();
  assert.deepEqual(order, ['first', 'large', 'small']);
  (await enter(admission, 'all', 100, 10)).release();
});

test('a reservation that is given back twice makes room once', async () => {
  const admission = new Admission(demand(100, 4));
  const { order, enter } = watch();
  const first = await enter(admission, 'first', 60);
  const second = await enter(admission, 'second', 40);
  first.release();
  first.release();
  const third = enter(admission, 'third', 61);
  await turn();
  assert.deepEqual(order, ['first', 'second'], 'the second one still holds its cells');
  second.release();
  (await third).release();
});

test('sequences count like cells', async () => {
  const admission = new Admission(demand(100, 4));
  const { order, enter } = watch();
  const held = await enter(admission, 'held', 1, 3);
  const waiting = enter(admission, 'waiting', 1, 2);
  await turn();
  assert.deepEqual(order, ['held']);
  held.release();
  (await waiting).release();
});

test('who gives up makes room in the queue', async () => {
  const admission = new Admission(demand(100, 4));
  const { order, enter } = watch();
  const held = await enter(admission, 'held', 50);
  const controller = new AbortController();
  const large = enter(admission, 'large', 80, 1, controller.signal);
  const small = enter(admission, 'small', 50);
  await turn();
  controller.abort();
  await assert.rejects(large, AbortError);
  (await small).release();
  held.release();
  assert.deepEqual(order, ['held', 'small']);
  await assert.rejects(admission.reserve(demand(1), AbortSignal.abort()), AbortError);
});

test('too much is refused at once; the end refuses those who wait', async () => {
  const admission = new Admission(demand(100, 4));
  const tooMuch = (error: unknown) => error instanceof EtaError && error.code === 'ERR_CACHE_FULL';
  await assert.rejects(admission.reserve(demand(101)), tooMuch);
  await assert.rejects(admission.reserve(demand(1, 5)), tooMuch);
  await admission.reserve(demand(100));
  const waiting = admission.reserve(demand(1));
  const error = new UsageError('ERR_DISPOSED', 'gone');
  admission.close(error);
  await assert.rejects(waiting, (reason) => reason === error);
});
