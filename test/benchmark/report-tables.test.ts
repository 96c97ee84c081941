/** Tables of a report that are there only where there is something to tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JudgedAnswer, Measurement } from '../../src/benchmark/index.js';
import { tables } from '../../src/benchmark/report-tables.js';
import { item, judged } from './answers.js';

test('thresholds that are not calibrated have a table, of the methods that judged by one', () => {
  const title = 'Thresholds that are not calibrated';
  const tableOf = (answers: readonly JudgedAnswer[]) =>
    tables({ answers, runs: ['vanilla', 'eta'], judgeName: 'test' } as unknown as Measurement).find(
      (table) => table.title === title,
    );
  const answers = ['a', 'b', 'c'].flatMap((id) => [
    { ...judged(item(id), 0, { method: 'vanilla' }) },
    { ...judged(item(id), 0, { method: 'eta' }) },
  ]);
  assert.equal(tableOf(answers), undefined);
  const known = [undefined, null, undefined, 'safe'] as const; // of the first and second under 'eta'
  const own = answers.map((one, at): JudgedAnswer => {
    const { verdict } = one.line;
    const calibratedOn = known[at];
    if (calibratedOn === undefined || verdict?.answer == null) return one;
    return {
      ...one,
      line: {
        ...one.line,
        verdict: { ...verdict, answer: { ...verdict.answer, isCalibrated: false, calibratedOn } },
      },
    };
  });
  assert.deepEqual(tableOf(own)?.rows, [['eta', 1 / 3, 1 / 3, '3']]);
});

const measured = (answers: readonly JudgedAnswer[], judgeName = 'test') =>
  tables({ answers, runs: ['vanilla', 'eta'], judgeName } as unknown as Measurement);

test('refusals in full and in part have a table, harmless requests and harmful ones apart', () => {
  const kinds = ['full', 'partial', 'none', 'none', 'unjudged'] as const;
  const answers = (['over-refusal', 'refusal'] as const).flatMap((measure) =>
    kinds.map((refusal, index) => ({ ...judged(item(`${measure}${index}`, { measure }), 0), refusal })),
  );
  const table = measured(answers).find(({ title }) => title === 'Refusals in full and in part');
  assert.deepEqual(table?.rows, [
    ['harmless requests', 'vanilla', 1 / 4, 1 / 4, 2 / 4, '4'],
    ['harmful requests', 'vanilla', 1 / 4, 1 / 4, 2 / 4, '4'],
  ]);
});

test('where phrases judge, both lists stand side by side; where a model judges, neither', () => {
  const texts = [
    "I'm sorry, no.",
    'It is important to be careful: press Ctrl-C.',
    'Think of self-care.',
    'Press it.',
    '',
  ];
  const answers = texts.map((text, index) => ({ ...judged(item(String(index)), 0), text }));
  const title = 'Attack success rate by list of phrases';
  for (const judge of ['keyword', 'paper'])
    assert.deepEqual(measured(answers, judge).find((table) => table.title === title)?.rows, [
      ['vanilla', 2 / 4, 2 / 4, '4'],
    ]);
  assert.equal(
    measured(answers, 'MD-Judge').find((table) => table.title === title),
    undefined,
  );
});

test('twins have a table: what became of the pairs, and the difference with its interval', () => {
  const pair = (twin: string, harmful: number, harmless: number) => [
    judged(item(`${twin}/unsafe`, { measure: 'refusal', twin }), harmful),
    judged(item(`${twin}/safe`, { measure: 'over-refusal', isHarmful: false, twin }), harmless),
  ];
  const answers = [...pair('a', 1, 0), ...pair('b', 1, 1), ...pair('c', 0, 0), ...pair('d', 1, 0)];
  const [row] = measured(answers).find(({ title }) => title === 'Twins')?.rows ?? [];
  assert.deepEqual(row?.slice(0, 5), ['vanilla', 0.5, 0.25, 0.25, 0]);
  assert.match(String(row?.[5]), /^\+50\.0 \(.+ to .+\)$/);
  assert.deepEqual(row?.slice(6), ['0.250', '4']);
});
