import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { refusedLine } from '../../src/batch/answer-line.js';
import {
  type AnswerLine,
  type BatchSettings,
  mergeResults,
  ResultsFile,
  readAnswers,
  settingsPath,
} from '../../src/batch/index.js';
import { bytesOf } from '../../src/batch/results-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-merge-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const fresh = () => join(folder, `${++count}.jsonl`);
const answered = (id: string | null, line: number): AnswerLine => ({
  ...refusedLine({ id, line, digest: 'd', error: { code: 'ERR_INVALID_LINE', message: 'm' } }),
  ...(id !== null && { error: null, text: 'größe' }),
});

async function shard(shard: string | null, lines: readonly AnswerLine[], more: BatchSettings = {}): Promise<string> {
  const path = fresh();
  await using results = await ResultsFile.open({ path, settings: { seed: 1, ...more, shard } });
  for (const line of lines) await results.add(line);
  return path;
}
async function linesOf(path: string): Promise<number[]> {
  const lines: number[] = [];
  for await (const { line } of readAnswers(path)) lines.push(line);
  return lines;
}

test('lines come file by file, or in the order of the requests; a torn one is left out', async () => {
  const first = await shard('1/3', [answered('e', 5), answered('a', 1), answered('g', 7)]);
  const second = await shard('3/3', [answered(null, 4), answered('b', 2)]);
  truncateSync(first, readFileSync(first).length - 1);
  const [plain, ordered] = [fresh(), fresh()] as const;
  const merged = await mergeResults({ paths: [first, second], out: plain });
  assert.deepEqual(merged.missingShards, ['2/3']);
  assert.deepEqual([merged.tally.lineCount, merged.tally.errorCount], [4, 1]);
  await mergeResults({ paths: [first, second], out: ordered, ordered: true });
  assert.deepEqual(await linesOf(plain), [5, 1, 4, 2]);
  assert.deepEqual(await linesOf(ordered), [1, 2, 4, 5]);
  assert.match(readFileSync(settingsPath(ordered), 'utf8'), /"shard": null/);
  const resumed = await ResultsFile.open({ path: ordered, settings: { seed: 1, shard: null }, resume: true });
  assert.equal(resumed.tally.lineCount, 4);
  await resumed.close();
});

test('what does not belong together is refused, and nothing is written', async () => {
  const first = await shard('1/2', [answered('a', 1), answered(null, 2)]);
  const out = fresh();
  const refuses = async (path: string, expected: object) => {
    await assert.rejects(mergeResults({ paths: [first, path], out }), expected);
    assert.equal(existsSync(out), false);
  };
  const other = await shard('2/2', [answered('b', 3)], { seed: 2 });
  await refuses(other, { code: 'ERR_RESULTS_DIFFER', message: /seed was 1, is 2/ });
  await refuses(await shard('2/2', [answered('a', 1)]), {
    code: 'ERR_DUPLICATE_ID',
    message: /the id "a", received two: ".*", line 1, and/,
  });
  await refuses(await shard('2/2', [answered(null, 2)]), {
    code: 'ERR_DUPLICATE_ID',
    message: /place 2 of the requests/,
  });
  await refuses(join(folder, 'none.jsonl'), { code: 'ERR_FILE_READ', message: /found none/ });
  const bare = await shard('2/2', []);
  rmSync(settingsPath(bare));
  await refuses(bare, { code: 'ERR_RESULTS_DIFFER', message: /found no such file/ });
  await assert.rejects(mergeResults({ paths: [], out }), { code: 'ERR_INVALID_OPTION' });
});

test('a file that was cut since its lines were looked at is told, and nothing stands in for what is gone', async () => {
  const path = await shard('1/1', [answered('a', 1)]);
  const byteCount = readFileSync(path).length - 1;
  const bytes = async (source: { readonly path: string; readonly offset: number; readonly byteCount: number }) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytesOf([source])) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  assert.deepEqual(await bytes({ path, offset: 0, byteCount }), readFileSync(path));
  const cut = { code: 'ERR_FILE_READ', message: /Expected to read ".*", but it failed: it was cut meanwhile\./ };
  await assert.rejects(bytes({ path, offset: 0, byteCount: byteCount + 1 }), cut);
  const gone = { path: join(folder, 'gone.jsonl'), offset: 0, byteCount };
  await assert.rejects(bytes(gone), { code: 'ERR_FILE_READ', message: /gone\.jsonl/ });
});

test('a file that is still written is refused', async () => {
  const [first, second] = [await shard('1/2', [answered('a', 1)]), await shard('2/2', [answered('b', 2)])];
  const writer = await ResultsFile.open({ path: second, settings: { seed: 1, shard: '2/2' }, resume: true });
  await assert.rejects(mergeResults({ paths: [first, second], out: fresh() }), { code: 'ERR_RESULTS_LOCKED' });
  await writer.close();
});

test('what is there already is kept, unless it is to be overwritten', async () => {
  const path = await shard('1/1', [answered('a', 1)]);
  await assert.rejects(mergeResults({ paths: [path], out: path }), { code: 'ERR_RESULTS_EXIST' });
  const out = await shard(null, [answered('z', 9)]);
  await assert.rejects(mergeResults({ paths: [path], out }), { code: 'ERR_RESULTS_EXIST' });
  await mergeResults({ paths: [path], out, overwrite: true });
  assert.deepEqual(await linesOf(out), [1]);
  await assert.rejects(mergeResults({ paths: [path], out: path, overwrite: true }), {
    code: 'ERR_INVALID_OPTION',
    message: /one of the files/,
  });
  assert.deepEqual(await linesOf(path), [1]);
});
