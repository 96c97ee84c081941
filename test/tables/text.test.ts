/** CSV and TSV: how rows are split, wherever a piece of the file ends, and what is told of those that cannot be. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { openTable, RowSplitter, separatedLine, separatedTable, type TableRow } from '../../src/tables/index.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-text-tables-'));
after(() => rmSync(folder, { recursive: true }));

async function read(bytes: string | Uint8Array, kind: 'csv' | 'tsv' = 'csv') {
  const path = join(folder, `table.${kind}`);
  writeFileSync(path, bytes);
  const table = await openTable(path, kind);
  try {
    const rows: TableRow[] = [];
    for await (const row of table.rows(table.columns)) rows.push(row);
    return { columns: table.columns, rows, values: rows.map(({ values }) => values) };
  } finally {
    await table.close();
  }
}

const TRICKY =
  'a,b\r\n"x ""y"", z",1\n\n"two\r\nlines",\r\nbare "quote",é\n"",\n"x"y,\r\n"\r""\n\r\r\n",\rold,mac\r\r,"end"';
const ROWS = [
  { line: 1, fields: ['a', 'b'] },
  { line: 2, fields: ['x "y", z', '1'] },
  { line: 4, fields: ['two\r\nlines', ''] },
  { line: 6, fields: ['bare "quote"', 'é'] },
  { line: 7, fields: ['', ''] },
  { line: 8, fields: ['xy', ''] },
  { line: 9, fields: ['\r"\n\r\r\n', ''] },
  { line: 14, fields: ['old', 'mac'] },
  { line: 16, fields: ['', 'end'] },
];

test('rows are the same wherever the text is cut', () => {
  for (let first = 0; first <= TRICKY.length; first++)
    for (const second of [first, first + 1, first + 2]) {
      const splitter = new RowSplitter(',');
      const pieces = [TRICKY.slice(0, first), TRICKY.slice(first, second), TRICKY.slice(second)];
      const rows = pieces.flatMap((piece) => [...splitter.push(piece)]);
      assert.deepEqual([...rows, ...splitter.end()], ROWS, `cut at ${first} and ${second}`);
    }
});

test('lines that end in CR alone are lines', async () => {
  const { columns, rows } = await read('id,prompt\ra,What?\rb,"Why\rnot?"\rc\rd,"open');
  assert.deepEqual(columns, ['id', 'prompt']);
  assert.deepEqual(
    rows.map(({ number, values, problem }) => [number, values['prompt'] ?? null, problem?.slice(0, 7) ?? null]),
    [
      [1, 'What?', null],
      [2, 'Why\rnot?', null],
      [3, null, 'line 5:'],
      [4, null, 'line 6:'],
    ],
  );
});

test('what is written is read back', async () => {
  const cells = ['a,b', 'say "no"', 'two\nlines', ' space ', 'plain', 'größe', '=1+1'];
  const names = cells.map((_, index) => `c${index}`);
  const { values } = await read(`${separatedLine(names)}\n${separatedLine(cells)}\n`);
  assert.deepEqual(values, [Object.fromEntries(cells.map((cell, index) => [`c${index}`, cell]))]);
  assert.equal(separatedLine(['', null, 1.5, true]), '"",,1.5,true');
});

test('a byte order mark, CRLF, semicolons and tabs are no mistake; empty cells are absent', async () => {
  for (const [text, kind] of [
    ['\ufeffid;prompt;seed\r\na;"x;y";\r\n', 'csv'],
    ['id,prompt,seed\na,x;y,\n', 'csv'],
    ['id\tprompt\tseed\na\tx;y\t', 'csv'],
    ['id\tprompt\tseed\na\tx;y\t', 'tsv'],
  ] as const) {
    const { columns, values } = await read(text, kind);
    assert.deepEqual(columns, ['id', 'prompt', 'seed'], text);
    assert.deepEqual(values, [{ id: 'a', prompt: 'x;y' }], text);
  }
  assert.deepEqual((await read('prompt\nWhat; why?\n')).values, [{ prompt: 'What; why?' }], 'one column alone');
});

test('a row that cannot be read is told by its line, and the others are read', async () => {
  const bytes = Buffer.concat([
    Buffer.from('id,prompt\na,one\nb,two,three\nc,'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('\nd,"four\n\nlines"\ne\nf,six\n'),
  ]);
  const { rows } = await read(bytes);
  assert.deepEqual(
    rows.map(({ number, values, problem }) => [number, values['id'] ?? null, problem?.replace(/\. .*/, '') ?? null]),
    [
      [1, 'a', null],
      [2, null, 'line 3: expected 2 fields as in the header, received 3'],
      [3, null, 'line 4: prompt: expected UTF-8, received bytes that are none'],
      [4, 'd', null],
      [5, null, 'line 8: expected 2 fields as in the header, received 1'],
      [6, 'f', null],
    ],
  );
});

test('a quote that is never closed ends the table with the line where it opens', async () => {
  const { rows } = await read(`id,prompt\na,one\nb,"two\n${'c,three\n'.repeat(20_000)}`);
  assert.deepEqual(
    rows.map(({ number, problem }) => [number, problem?.slice(0, 62) ?? null]),
    [
      [1, null],
      [2, 'line 3: expected the quote that opens a field here to be close'],
    ],
  );
});

test('a row of nothing but separators is held as one of as many characters', () => {
  const splitter = new RowSplitter(',');
  assert.deepEqual([...splitter.push(',"",,')], []);
  assert.equal(splitter.heldLength, 3);
  assert.deepEqual([...splitter.push('\n')], [{ line: 1, fields: ['', '', '', ''] }]);
  assert.equal(splitter.heldLength, 0);
});

test('what is no table is refused', async () => {
  for (const [bytes, message] of [
    ['', /expected a header with the names of the columns, and a row for each request, received nothing\.$/],
    ['"id,prompt\na,b\n', /the header: line 1: expected the quote that opens a field here to be closed; .* twice\.$/],
    ['\n\nid,"prompt\na,b\n', /the header: line 3: expected the quote/],
    ['id,prompt,id\n', /expected each column once, received "id" twice/],
    [Buffer.from('\ufeffid,prompt\n', 'utf16le'), /expected text in UTF-8, received UTF-16/],
    [Buffer.from([0x69, 0x64, 0x2c, 0xe9, 0x0a]), /expected a header in UTF-8, received other bytes in column 2/],
  ] as const)
    await assert.rejects(read(bytes), { code: 'ERR_FILE_INVALID', message });
});

test('a table that is refused lets go of its source, one that is not keeps it', async () => {
  let closedCount = 0;
  const opened = (text: string) =>
    separatedTable(Readable.from([Buffer.from(text)]), 'csv', 'it', async () => void closedCount++);
  await assert.rejects(opened('id,prompt,id\n'), { code: 'ERR_FILE_INVALID' });
  assert.equal(closedCount, 1);
  await opened('id,prompt\n');
  assert.equal(closedCount, 1);
});
