/** Overhead over N, its tables and curves, from answers made by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overheadArms } from '../../src/experiment/overhead.js';
import { overheadCurves, overheadTable, overheadTimes } from '../../src/experiment/overhead-table.js';
import { timed, value } from './measured.js';

test('overhead: ratios of medians over the same requests', async () => {
  const rows = ['a', 'b', 'c'].flatMap((id, at) => [
    timed('m', 'vanilla', id, 16 + 4 * at),
    timed('m', 'aligned, N = 1', id, 32 + 8 * at, 16),
    timed('m', 'aligned, N = 5', id, 48 + 12 * at),
  ]);
  const table = await overheadTable(rows);
  assert.deepEqual(
    table.rows.map((row) => row.map(value)),
    [
      ['vanilla', 1, 20, 2, 8, 8, 1],
      ['aligned, N = 1', 2, 40, 2, 16, 16, 1],
      ['aligned, N = 5', 3, 60, 2, 8, 8, 3],
    ],
  );
  const [curve] = await overheadCurves(rows, [1, 5]);
  assert.deepEqual(
    curve?.series.map(({ name, points }) => [name, points.map(({ x, y }) => [x, y])]),
    [
      [
        'eta',
        [
          [1, 2],
          [5, 3],
        ],
      ],
    ],
  );
  assert.deepEqual(
    overheadTimes(rows).map(({ method, count, totalMs }) => [method, count, totalMs.median]),
    [
      ['vanilla', 3, 20],
      ['aligned, N = 1', 3, 40],
      ['aligned, N = 5', 3, 60],
    ],
  );
});

test('overhead: two models are told apart', async () => {
  const rows = ['small', 'large'].flatMap((model) => [
    timed(model, 'vanilla', 'a', 10),
    timed(model, 'aligned, N = 1', 'a', 20),
  ]);
  assert.deepEqual(
    (await overheadTable(rows)).rows.map(([name]) => name),
    ['small: vanilla', 'small: aligned, N = 1', 'large: vanilla', 'large: aligned, N = 1'],
  );
  assert.deepEqual(
    (await overheadCurves(rows, [1]))[0]?.series.map(({ name }) => name),
    ['small', 'large'],
  );
});

test('overhead: every request is sent down the path that is measured', () => {
  const arms = overheadArms([1, 5]);
  assert.deepEqual(
    arms.map(({ name }) => name),
    ['vanilla', 'picture looks safe', 'answer looks safe', 'shallow', 'aligned, N = 1', 'aligned, N = 5'],
  );
  assert.deepEqual(arms.at(-1)?.options, {
    candidateCount: 5,
    thresholds: { unsafeClipScore: -1, unsafeDecision: -1e6, safeReward: 1e6, safeDecision: 1e6 },
    whenStillUnsafe: 'return',
  });
});
