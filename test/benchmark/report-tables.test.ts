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
