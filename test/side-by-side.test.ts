import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { allEnded, sideBySide } from '../src/side-by-side.js';

test('results stand in the order of the rows, and no more than so many are in work', async () => {
  let inWork = 0;
  let most = 0;
  const found = await sideBySide([30, 1, 20, 1, 10], 2, async (ms) => {
    most = Math.max(most, ++inWork);
    await sleep(ms);
    inWork--;
    return ms * 2;
  });
  assert.deepEqual(found, [60, 2, 40, 2, 20]);
  assert.equal(most, 2);
});

test('after a failure no row is begun, and it is told when those under way have ended', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (row: number) => {
    begun.push(row);
    await sleep(row === 1 ? 1 : 20);
    ended.push(row);
    if (row === 1) throw new Error('row 1');
  };
  await assert.rejects(sideBySide([0, 1, 2, 3], 2, work), /row 1/);
  assert.deepEqual(begun, [0, 1]);
  assert.deepEqual(ended, [1, 0]);
});

test('of several failures the first of the list is thrown, whichever came first', async () => {
  const failing = async (name: string, ms: number) => {
    await sleep(ms);
    throw new Error(name);
  };
  await assert.rejects(allEnded([failing('slow', 20), failing('quick', 1)]), /slow/);
  assert.deepEqual(await allEnded([Promise.resolve(1), Promise.resolve(2)]), [1, 2]);
  assert.deepEqual(await sideBySide([], 3, failing as never), []);
});
