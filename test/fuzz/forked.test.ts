/** What forked.ts is for: a case that ends its process, or comes back raw, is told with its seed, and the others go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tryForked } from './forked.js';

const child = new URL('./planted-faults.ts', import.meta.url);

test('crashes and raw errors are faults; what is refused or works is none', async () => {
  const done: number[] = [];
  const { count, outcomes, faults } = await tryForked({
    child,
    task: null,
    seeds: [0, 1, 2, 3, 4, 5, 6],
    onProgress: (at) => done.push(at),
  });
  assert.equal(count, 7);
  assert.deepEqual(outcomes, { works: 2, ERR_MODEL_INVALID: 1, 'raw error': 2, SIGABRT: 1, 'exit 3': 1 });
  assert.equal(faults.length, 5);
  assert.match(faults[0] ?? '', /^seed 2: raw: TypeError: planted/);
  assert.match(faults[1] ?? '', /^seed 3: SIGABRT/);
  assert.match(faults[2] ?? '', /^seed 4: exit 3/);
  assert.match(faults[3] ?? '', /^seed 5: raw: ERR_MODEL_INVALID Cannot read properties/);
  assert.match(faults[4] ?? '', /^seed 6: exit 4 after it/);
  assert.deepEqual(done, [1, 2, 3, 4, 5, 6, 7]);
});

test('each is found again by the seed it was told with, alone', async () => {
  const { faults } = await tryForked({ child, task: null, seeds: [2, 3, 5] });
  assert.equal(faults.length, 3);
  for (const fault of faults) {
    const seed = Number(/^seed (\d+): /.exec(fault)?.[1]);
    const again = await tryForked({ child, task: null, seeds: [seed] });
    assert.deepEqual(again.faults.map(kindOf), [kindOf(fault)]);
  }
});

/** The seed and the first word: a stack of the machine's has another depth each time. */
const kindOf = (fault: string) => fault.split(' ', 3).join(' ');
