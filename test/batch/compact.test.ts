/** What a batch keeps of its lines, in numbers: as maps and sorted arrays would have it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerLine } from '../../src/batch/index.js';
import { KeyTable } from '../../src/batch/key-table.js';
import { KnownAnswers } from '../../src/batch/known-answers.js';
import { LineList } from '../../src/batch/line-list.js';
import { assertTurns } from '../stretch.js';

test('keys have the places in which they came, each once', () => {
  const [table, map] = [new KeyTable(), new Map<string, number>()];
  for (let index = 0; index < 60_000; index++) {
    const key = `key ${(index * 7919) % 45_000}`;
    if (!map.has(key)) {
      assert.equal(table.find(key), -1);
      map.set(key, map.size);
    }
    assert.equal(table.add(key), map.get(key));
  }
  assert.equal(table.size, 45_000);
  for (const [key, place] of map) assert.equal(table.find(key), place);
  for (const key of ['', 'key', 'key 45000', 'key 1 ']) assert.equal(table.find(key), -1);
});

const line = (id: string | null, digest: string, error: AnswerLine['error'] = null) =>
  ({ id, line: 1, digest, error, verdict: null, stopReason: null }) as AnswerLine;

test('of an answer its digest is known, also one of a caller’s own, and whether it failed', () => {
  const known = new KnownAnswers();
  const error = { code: 'ERR_IMAGE_NOT_FOUND', message: '' } as const;
  const digests = ['00000000ffffffff', 'ffffffff00000001', '0123456789abcdef', 'mine', '0123456789ABCDEF', '00'];
  for (const [index, digest] of digests.entries()) known.add(line(`a${index}`, digest, index % 2 === 0 ? null : error));
  known.add(line(null, 'x'));
  for (const [index, digest] of digests.entries())
    assert.deepEqual(known.find(`a${index}`), { digest, isError: index % 2 === 1 });
  assert.equal(known.find('a6'), undefined);
  known.add(line('a3', digests[0] ?? ''));
  assert.deepEqual(known.find('a3'), { digest: digests[0], isError: false });
  assert.deepEqual([...known.refused], ['1 x']);
});

test('lines are put into the order of their ranks; those of one rank stay as they came', async () => {
  for (const most of [3, 5000, 2 ** 40]) {
    const lines = new LineList();
    const plain = Array.from({ length: 3000 }, (_, index) => ({
      path: index < 1000 ? 'a' : 'b',
      offset: index * 2 ** 33,
      byteCount: index,
      rank: Math.floor((((index * 2654435761) % 2 ** 32) / 2 ** 32) * most),
    }));
    for (const { rank, ...source } of plain) lines.add(source, rank);
    assert.equal(await lines.sort(), true);
    const expected = plain.toSorted((a, b) => a.rank - b.rank).map(({ rank: _rank, ...source }) => source);
    assert.deepEqual([...lines.sources()], expected, `ranks below ${most}`);
  }
  const sorted = new LineList();
  for (const rank of [1, 1, 4]) sorted.add({ path: 'a', offset: rank, byteCount: 1 }, rank);
  assert.equal(await sorted.sort(), false, 'nothing changes where all stand in order');
});

test('a million keys, and a million lines put in order, leave the event loop its turns', async () => {
  const COUNT = 1_000_000;
  let [table, lines] = [new KeyTable(), new LineList()];
  await assertTurns(async () => {
    [table, lines] = [new KeyTable(), new LineList()];
    for (let index = 0; index < COUNT; index++) {
      table.add(`key ${index}`);
      lines.add({ path: 'a', offset: index, byteCount: 1 }, (index * 7919) % COUNT);
      if (index % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await lines.sort();
  });
  const [first] = lines.sources();
  assert.deepEqual([table.size, first?.offset], [COUNT, 0]);
});
