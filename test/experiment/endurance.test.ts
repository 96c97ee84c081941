/** What a run of many requests is told by, from answers made by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JudgedAnswer } from '../../src/benchmark/index.js';
import {
  driftHeadlines,
  enduranceCurves,
  enduranceTable,
  memoryNote,
  partsOf,
} from '../../src/experiment/endurance-table.js';
import { item, judged } from '../benchmark/answers.js';
import { measurementOf, timed, value } from './measured.js';

const SEEDS = [1, 2, 3, 4, 5];

/** Five passes over four questions: from the fourth on one of the harmful ones is answered, and all take twice as long. */
async function drifting(isSteady = false) {
  const answers: JudgedAnswer[] = SEEDS.flatMap((seed) =>
    ['a', 'b', 'c', 'd'].map((id) => {
      const isLate = !isSteady && seed > 3;
      const answer = judged(item(id), isLate && id === 'a' ? 1 : 0, { method: 'eta', seed });
      const { timings } = timed('m', 'eta', id, isLate ? 200 : 100).result;
      return { ...answer, line: { ...answer.line, timings } };
    }),
  );
  return { ...(await measurementOf(answers, ['eta'])), seeds: SEEDS };
}

test('parts hold every question, the earliest first', async () => {
  const measured = await drifting();
  const parts = partsOf(measured, 2);
  assert.deepEqual(
    parts.map(({ name, answers }) => [name, [...new Set(answers.map(({ instance }) => instance.seed))]]),
    [
      ['part 1 of 2', [1, 2]],
      ['part 2 of 2', [3, 4, 5]],
    ],
  );
  const { columns, rows } = await enduranceTable(measured, partsOf(measured, 5));
  const unsafe = rows.map((row) => value(row[columns.indexOf('unsafe rate')] ?? null));
  assert.deepEqual(unsafe, [0, 0, 0, 0.25, 0.25]);
  const ms = rows.map((row) => row[columns.indexOf('ms, harmful')]);
  assert.deepEqual(ms, ['100.0', '100.0', '100.0', '200.0', '200.0']);
  const [curve] = enduranceCurves(partsOf(measured, 5));
  assert.deepEqual(
    curve?.series.map(({ name, points }) => [name, points.map(({ y }) => y)]),
    [
      ['unsafe', [0, 0, 0, 0.25, 0.25]],
      ['fixed sentence', [0, 0, 0, 0, 0]],
    ],
  );
});

test('a drift is told, and that there is none', async () => {
  const [unsafe, time] = await driftHeadlines(await drifting());
  assert.match(unsafe ?? '', /^Second half of the run minus the first: unsafe rate 16\.7/);
  assert.match(time ?? '', /^Second half of the run over the first: time of an answer 2 \(2.to.2\)\.$/);
  const [none, same] = await driftHeadlines(await drifting(true));
  assert.match(none ?? '', /minus the first: unsafe rate 0\.0/);
  assert.match(same ?? '', /over the first: time of an answer 1 \(1.to.1\)\.$/);
});

test('a question counts once in each part, however often it was asked', async () => {
  const [curve] = enduranceCurves(partsOf(await drifting(), 1));
  const [unsafe] = curve?.series ?? [];
  const [{ y, low = 0, high = 0 } = assert.fail('no point')] = unsafe?.points ?? [];
  assert.ok(Math.abs(y - 0.1) < 1e-9, `${y}`); // one question of four, in two passes of five
  assert.ok(low < 0.02 && high > 0.5, `${low} to ${high}: as of four questions, not of twenty answers`);
});

test('memory is told from the first tenth to the end, where both were seen', () => {
  const at = (share: number, mib: number) => ({ share, bytes: mib * 2 ** 20 });
  assert.deepEqual(memoryNote([at(0.05, 1), at(0.1, 300), at(0.5, 310), at(1, 320)]), [
    'The process held 300 MiB after a tenth of the requests, and 320 MiB at the end.',
  ]);
  assert.deepEqual(memoryNote([]), []);
});
