/** Experiments over N and over strengths, their tables and curves, from answers made by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JudgedAnswer, Measurement } from '../../src/benchmark/index.js';
import { type ChangedItem, label, unitOf } from '../../src/experiment/changed-pictures.js';
import { overheadArms } from '../../src/experiment/overhead.js';
import { overheadCurves, overheadTable, overheadTimes } from '../../src/experiment/overhead-table.js';
import { PICTURE_CHANGES } from '../../src/experiment/picture-changes.js';
import {
  robustnessCurves,
  robustnessHeadlines,
  robustnessTable,
  searchNotes,
} from '../../src/experiment/robustness-table.js';
import type { Estimate } from '../../src/report/index.js';
import { item, judged } from '../benchmark/answers.js';
import { measurementOf, timed, value } from './measured.js';

/** Ten pictures, unchanged and blurred: blurred ones are flagged half as often, and eta fails on the others. */
async function blurredSet(): Promise<{ changed: ChangedItem[]; measured: Measurement }> {
  const changed: ChangedItem[] = [];
  const answers: JudgedAnswer[] = [];
  const add = (
    strength: number,
    at: number,
    isFlagged: boolean,
    values: Readonly<Record<'vanilla' | 'eta', number>>,
  ) => {
    const of = item(strength === 0 ? `p${at}` : `p${at}@blur-${strength}`);
    changed.push({ change: strength === 0 ? 'none' : 'blur', strength, item: of, from: `p${at}` });
    for (const method of ['vanilla', 'eta'] as const) {
      const found = judged(of, values[method], { method });
      const before = found.line.verdict ?? assert.fail('no verdict');
      const picture = before.picture === null || method !== 'eta' ? null : { ...before.picture, isUnsafe: isFlagged };
      const verdict = { ...before, picture };
      answers.push({ ...found, line: { ...found.line, verdict } });
    }
  };
  for (let at = 0; at < 10; at++) {
    add(0, at, true, { vanilla: 1, eta: 0 });
    add(2, at, at < 5, { vanilla: 1, eta: at < 5 ? 0 : 1 });
  }
  return { changed, measured: await measurementOf(answers, ['vanilla', 'eta']) };
}

test('robustness: flagged, unsafe, gain, and what is left of it', async () => {
  const { changed, measured } = await blurredSet();
  const { columns, rows } = await robustnessTable(measured, changed);
  assert.deepEqual(columns, ['picture', 'flagged', 'unsafe, vanilla', 'unsafe, eta', 'gain', 'left of the gain']);
  assert.deepEqual(
    rows.map((row) => row.map(value)),
    [
      ['unchanged', 1, 1, 0, 1, 1],
      ['blur 2', 0.5, 1, 0.5, 0.5, 0.5],
    ],
  );
  const left = rows[1]?.at(-1) as Estimate;
  assert.ok(left.low > 0.1 && left.low < 0.5 && left.high > 0.5 && left.high < 0.9, JSON.stringify(left));
  assert.equal(left.count, 10);
});

test('robustness: a line for each arm over the strengths, from the unchanged picture on', async () => {
  const { changed, measured } = await blurredSet();
  const [curve, ...more] = robustnessCurves(measured, changed);
  assert.deepEqual(more, []);
  assert.equal(curve?.x, unitOf('blur'));
  assert.deepEqual(
    curve?.series.map(({ name, points }) => [name, points.map(({ x, y }) => [x, y])]),
    [
      [
        'vanilla',
        [
          [0, 1],
          [2, 1],
        ],
      ],
      [
        'eta',
        [
          [0, 0],
          [2, 0.5],
        ],
      ],
      [
        'flagged',
        [
          [0, 1],
          [2, 0.5],
        ],
      ],
    ],
  );
});

test('robustness: the pictures as they are, and the change that eta stands worst, are told first', async () => {
  const { changed, measured } = await blurredSet();
  assert.deepEqual(robustnessHeadlines(measured, changed), [
    'Pictures unchanged: unsafe 100.0\u00a0% with vanilla, 0.0\u00a0% (0.0\u00a0to\u00a027.8) with eta (10 pictures).',
    'Worst for eta, blur 2: unsafe 100.0\u00a0% with vanilla, 50.0\u00a0% (23.7\u00a0to\u00a076.3) with eta (10 pictures).',
  ]);
  assert.deepEqual(robustnessHeadlines({ ...measured, answers: [] }, changed), []);
});

test('robustness without judged answers, or without a gain to lose, is a dash', async () => {
  const { changed, measured } = await blurredSet();
  const none = await robustnessTable({ ...measured, answers: [] }, changed);
  assert.deepEqual(none.rows[0], ['unchanged', null, null, null, null, null]);
  const harmless = measured.answers.map((answer) => ({ ...answer, value: 0 }));
  assert.equal((await robustnessTable({ ...measured, answers: harmless }, changed)).rows[0]?.at(-1), null);
});

test('every change has a unit and rising strengths', () => {
  for (const { name, unit, strengths } of PICTURE_CHANGES) {
    assert.ok(unit !== '' && strengths.length > 1, name);
    assert.deepEqual(
      [...strengths].sort((a, b) => a - b),
      strengths,
    );
    assert.equal(unitOf(name), unit);
  }
  assert.equal(label('blur', 0), 'unchanged');
  assert.equal(label('blur', 2), 'blur 2');
});

test('the search is told in a sentence for each limit', () => {
  const note = { from: 'a', limit: 8, before: 0.3, after: 0.1, queryCount: 40, share: 1 };
  const notes = searchNotes([note, { ...note, after: 0.28, share: 0, queryCount: 60 }, { ...note, limit: 16 }], 0.2);
  assert.equal(notes.length, 2);
  assert.match(
    notes[0] ?? '',
    /at most 8 of 255: 1 of 2 pictures fell below .*\(for 1 any change could keep it\).* 0\.110 .* 50 queries/,
  );
});

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
