/** Requests under changes: the table, the curves and the sentences, from answers made by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JudgedAnswer, Measurement } from '../../src/benchmark/index.js';
import { type ChangedItem, label, UNCHANGED } from '../../src/experiment/changed-item.js';
import { PICTURE_CHANGES } from '../../src/experiment/picture-changes.js';
import { REQUEST_CHANGES } from '../../src/experiment/request-changes.js';
import { robustnessCurves } from '../../src/experiment/robustness-curves.js';
import {
  harmlessTable,
  robustnessHeadlines,
  robustnessTable,
  searchNotes,
} from '../../src/experiment/robustness-table.js';
import type { Estimate } from '../../src/report/index.js';
import { item, judged } from '../benchmark/answers.js';
import { measurementOf, value } from './measured.js';

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
    changed.push({ change: strength === 0 ? 'none' : 'blur', unit: 'pixels', strength, item: of, from: `p${at}` });
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

test('robustness: flagged, unsafe, and what is held of it', async () => {
  const { changed, measured } = await blurredSet();
  const { columns, rows } = robustnessTable(measured, changed);
  assert.deepEqual(columns, ['request', 'flagged', 'unsafe, vanilla', 'unsafe, eta', 'held, eta']);
  assert.deepEqual(
    rows.map((row) => row.map(value)),
    [
      ['unchanged', 1, 1, 0, 1],
      ['blur 2', 0.5, 1, 0.5, 0.5],
    ],
  );
  const held = rows[1]?.at(-1) as Estimate;
  assert.ok(held.low > 0.1 && held.low < 0.5 && held.high > 0.5 && held.high < 0.9, JSON.stringify(held));
  assert.equal(held.count, 10);
});

test('robustness: a line for each arm over the strengths, from the unchanged picture on', async () => {
  const { changed, measured } = await blurredSet();
  const [curve, ...more] = robustnessCurves(measured, changed);
  assert.deepEqual(more, []);
  assert.equal(curve?.x, 'pixels');
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

test('robustness: the requests as they are, and the change that an arm stands worst, are told first', async () => {
  const { changed, measured } = await blurredSet();
  assert.deepEqual(robustnessHeadlines(measured, changed), [
    'Requests unchanged: unsafe 100.0\u00a0% with vanilla, 0.0\u00a0% (0.0\u00a0to\u00a027.8) with eta (10 requests).',
    'Worst for eta, blur 2: unsafe 100.0\u00a0% with vanilla, 50.0\u00a0% (23.7\u00a0to\u00a076.3) with eta (10 requests).',
  ]);
  const all = measured.answers.map((answer) => (answer.instance.run === 'eta' ? { ...answer, value: 0 } : answer));
  assert.equal(
    robustnessHeadlines({ ...measured, answers: all }, changed)[1],
    'Under every change: what vanilla answers unsafely, eta does not.',
  );
  assert.deepEqual(robustnessHeadlines({ ...measured, answers: [] }, changed), []);
});

test('robustness: of several changes the worst is told, and a curve compares the requests that were changed', async () => {
  const { changed, measured } = await blurredSet();
  // Noise on two of the ten, of which eta holds neither; given from strong to weak.
  const noisy = ['p8', 'p9'].flatMap((from) =>
    [20, 10].map((strength) => ({
      change: 'noise',
      unit: 'of 255',
      strength,
      from,
      item: item(`${from}@noise-${strength}`),
    })),
  );
  const answers = noisy.flatMap((one) => [
    judged(one.item, 1, { method: 'vanilla' }),
    judged(one.item, 1, { method: 'eta' }),
  ]);
  const all = await measurementOf([...measured.answers, ...answers], ['vanilla', 'eta']);
  const both = [...changed, ...noisy];
  assert.match(robustnessHeadlines(all, both)[1] ?? '', /^Worst for eta, noise 20: .* with eta \(2 requests\)\.$/);
  const [, noise] = robustnessCurves(all, both);
  assert.deepEqual(
    noise?.series[0]?.points.map(({ x }) => x),
    [0, 10, 20],
  );
  // Unchanged, 8 and 9 are held; of all ten the interval would be narrower.
  const plain = noise?.series[1]?.points[0];
  assert.ok(plain?.y === 0 && (plain.high ?? 0) > 0.6, JSON.stringify(plain));
});

test('robustness without judged answers, or without a gain to lose, is a dash', async () => {
  const { changed, measured } = await blurredSet();
  const none = robustnessTable({ ...measured, answers: [] }, changed);
  assert.deepEqual(none.rows[0], ['unchanged', null, null, null, null]);
  const harmless = measured.answers.map((answer) => ({ ...answer, value: 0 }));
  assert.equal(robustnessTable({ ...measured, answers: harmless }, changed).rows[0]?.at(-1), null);
});

test('every change has a unit and rising strengths', () => {
  for (const { name, unit, strengths } of [...PICTURE_CHANGES, ...REQUEST_CHANGES]) {
    assert.ok(unit !== '' && strengths.length > 1, name);
    assert.deepEqual(
      [...strengths].sort((a, b) => a - b),
      strengths,
    );
  }
  assert.equal(label(UNCHANGED), 'unchanged');
  assert.equal(label({ change: 'blur', strength: 2 }), 'blur 2');
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

test('robustness: harmless requests have a table of their own, if there are any', async () => {
  const { changed, measured } = await blurredSet();
  assert.equal(harmlessTable(measured), null);
  const fields = { measure: 'right', isHarmful: false } as const;
  const answers = ['a', 'b'].flatMap((id, at) => [
    judged(item(id, fields), 1, { method: 'vanilla' }),
    judged(item(id, fields), 1 - at, { method: 'eta', action: at === 0 ? 'answered' : 'aligned' }),
  ]);
  const mixed = await measurementOf([...measured.answers, ...answers], ['vanilla', 'eta']);
  const table = harmlessTable(mixed);
  assert.deepEqual(table?.columns, ['arm', 'harmless made again', 'harmless: fixed sentence', 'accuracy']);
  assert.deepEqual(table?.rows, [
    ['vanilla', 0, 0, 1],
    ['eta', 0.5, 0, 0.5],
  ]);
  assert.deepEqual(robustnessTable(mixed, changed), robustnessTable(measured, changed));
});
