/** Tables that pandas, pyarrow, datasets and DuckDB wrote (test/golden/tables/make.py), read a few rows at a time. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { int64, tableFromArrays, tableToIPC } from '@uwdata/flechette';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { FileError } from '../../src/errors.js';
import { openTable, pictureOf, tableKindOf, writeParquet } from '../../src/tables/index.js';

const golden = fileURLToPath(new URL('../golden/tables/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-tables-'));
after(() => rmSync(folder, { recursive: true }));

type Row = Readonly<Record<string, unknown>>;

async function read(path: string, { columns, split }: { columns?: readonly string[]; split?: string } = {}) {
  const kind = await tableKindOf(path);
  assert.ok(kind !== null, `${path} is no table by its name`);
  const table = await openTable(path, kind, split ?? null);
  try {
    const rows: Row[] = [];
    for await (const { number, values, problem } of table.rows(columns ?? table.columns)) {
      rows.push(values);
      assert.deepEqual([number, problem], [rows.length, null]);
    }
    return { columns: table.columns, rowCount: table.rowCount, rows };
  } finally {
    await table.close();
  }
}

const withoutNulls = (row: Row) =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== undefined));
const expected = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8')) as { readonly pages: Row[] };

for (const file of ['pages-1', 'pages-2', 'typed', 'pictures', 'duckdb'])
  test(`${file}.parquet, page by page, holds what hyparquet reads of it at once`, async () => {
    const path = join(golden, `${file}.parquet`);
    const whole = (await parquetReadObjects({
      file: await asyncBufferFromFile(path),
      compressors,
      utf8: false,
    })) as Row[];
    const { rows, rowCount } = await read(path);
    assert.equal(rowCount, whole.length);
    assert.deepEqual(rows, whole.map(withoutNulls));
  });

test('parquet of many pages holds what pyarrow wrote: lists across pages, dictionaries, nulls', async () => {
  for (const file of ['pages-1', 'pages-2']) {
    const columns = ['words', 'number', 'text', 'kind', 'nested'];
    const { rows } = await read(join(golden, `${file}.parquet`), { columns });
    assert.equal(rows.length, 3000);
    // a list that is null in a list is undefined, which JSON writes alike
    assert.deepEqual(JSON.parse(JSON.stringify(rows.slice(0, 40))), expected.pages.map(withoutNulls), file);
    assert.deepEqual(
      rows.at(-1)?.['words'],
      [0, 1, 2, 3, 4].map((j) => `w2999-${j}`),
    );
    assert.equal(rows.at(-1)?.['text'], 'What is 2999?');
  }
});

test('an Arrow file has the values of the parquet of the same table', async () => {
  const [arrow, parquet] = [await read(join(golden, 'typed.arrow')), await read(join(golden, 'typed.parquet'))];
  const plain = (rows: readonly Row[]) =>
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
      ),
    );
  assert.deepEqual(arrow.columns, parquet.columns);
  assert.deepEqual(plain(arrow.rows), plain(parquet.rows));
});

test('integers beyond the whole numbers of JavaScript are what they are', async () => {
  const path = join(folder, 'large.arrow');
  const ids = [2n ** 60n + 1n, 7n];
  writeFileSync(path, tableToIPC(tableFromArrays([['id', ids]], { types: { id: int64() } }), {}) ?? '');
  assert.deepEqual(
    (await read(path)).rows.map(({ id }) => id),
    ids,
  );
});

test('bytes of a row are its own: nothing of its page or batch stays with it', async () => {
  for (const file of ['pictures.parquet', 'saved-0.arrow']) {
    const { rows } = await read(join(golden, file), { columns: ['img'] });
    const picture = pictureOf(rows[1]?.['img']);
    assert.ok(picture !== null && 'bytes' in picture);
    assert.equal(picture.bytes.length, 69);
    assert.equal(picture.bytes.buffer.byteLength, 69, file);
  }
});

/** As save_to_disk leaves it. */
function saved(name: string): string {
  const root = join(folder, name);
  const test = join(root, 'test');
  mkdirSync(test, { recursive: true });
  copyFileSync(join(golden, 'saved-dataset_dict.json'), join(root, 'dataset_dict.json'));
  for (const file of ['state.json', 'dataset_info.json']) copyFileSync(join(golden, `saved-${file}`), join(test, file));
  for (const index of [0, 1])
    copyFileSync(join(golden, `saved-${index}.arrow`), join(test, `data-0000${index}-of-00002.arrow`));
  return root;
}

test('a folder of save_to_disk: its splits, or one of them, in the order of its files', async () => {
  const root = saved('saved');
  for (const path of [root, join(root, 'test')]) {
    const { rows } = await read(path);
    assert.deepEqual(
      rows.map((row) => row['key']),
      ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'],
    );
  }
  await assert.rejects(read(root, { split: 'tset' }), {
    code: 'ERR_INVALID_OPTION',
    message: /^split: expected one that ".*" holds \(test\), received "tset"\.$/,
  });
  writeFileSync(join(root, 'dataset_dict.json'), '{"splits": ["test", "../elsewhere"]}');
  await assert.rejects(read(root), { code: 'ERR_FILE_INVALID', message: /expected \{ splits \} with names/ });
});

test('a folder of parquet files: splits by their names, numbers in order, configurations by their folders', async () => {
  const root = join(folder, 'hub');
  const put = (path: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    copyFileSync(join(golden, 'pictures.parquet'), join(root, path));
  };
  for (const path of [
    'data/train-00000-of-00002.parquet',
    'data/train-00001-of-00002.parquet',
    'data/test.parquet',
    '.cache/x.parquet',
  ])
    put(path);
  assert.equal((await read(root, { split: 'train' })).rows.length, 12);
  assert.equal((await read(root, { split: 'test' })).rowCount, 6);
  await assert.rejects(read(root), {
    code: 'ERR_INVALID_OPTION',
    message: /split: expected the name of one, because ".*" holds test, train; received none\./,
  });
  put('en/train/0000.parquet');
  assert.equal((await read(root, { split: 'en/train' })).rows.length, 6);
  await assert.rejects(read(join(folder)), { code: 'ERR_INVALID_OPTION' });
  mkdirSync(join(folder, 'empty'));
  await assert.rejects(read(join(folder, 'empty')), { code: 'ERR_FILE_INVALID', message: /found nothing/ });
});

test('a part that is missing from a folder is told, and one that is too much', async () => {
  const cases: readonly (readonly [files: readonly string[], message: RegExp])[] = [
    [
      ['data-00000-of-00002'],
      /expected 2 files, as the name of data-00000-of-00002\.parquet says, found 1: without 00001-of-00002\. Fetch/,
    ],
    [['data-00011-of-00012'], /found 1: without 00000-of-00012, .*, 00007-of-00012, \.\.\.\. Fetch/],
    [
      ['a-00000-of-00001-0a1b', 'a-00000-of-00001-2c3d'],
      /expected each part once, found .*0a1b\.parquet and .*2c3d\.parquet/,
    ],
    [
      ['a-00000-of-00001', 'a-00000-of-00002'],
      /expected files of one division, found .*-of-00001\.parquet and .*-of-00002/,
    ],
  ];
  for (const [index, [files, message]] of cases.entries()) {
    const root = join(folder, `parts-${index}`);
    mkdirSync(root);
    for (const file of files) copyFileSync(join(golden, 'pictures.parquet'), join(root, `${file}.parquet`));
    await assert.rejects(read(root), { code: 'ERR_FILE_INVALID', message });
  }
});

test('a column that stands twice is refused, in parquet and in Arrow', async () => {
  const parquet = join(folder, 'twice.parquet');
  const file = await open(parquet, 'w');
  const columns = ['id', 'prompt', 'id'].map((name) => ({ name, type: 'STRING' }) as const);
  await writeParquet(
    file,
    columns,
    (async function* () {
      yield ['a', 'b', 'c'];
    })(),
  );
  await file.close();
  const arrow = join(folder, 'twice.arrow');
  const pairs = ['id', 'prompt', 'id'].map((name): [string, string[]] => [name, ['a']]);
  writeFileSync(arrow, tableToIPC(tableFromArrays(pairs), {}) ?? '');
  for (const path of [parquet, arrow])
    await assert.rejects(read(path), {
      code: 'ERR_FILE_INVALID',
      message: /expected each column once, received "id" twice\. Name one of the two otherwise\.$/,
    });
});

test('files of a folder must have the same columns', async () => {
  const root = join(folder, 'unequal');
  mkdirSync(root);
  copyFileSync(join(golden, 'pictures.parquet'), join(root, 'a-00000-of-00002.parquet'));
  copyFileSync(join(golden, 'typed.parquet'), join(root, 'a-00001-of-00002.parquet'));
  await assert.rejects(read(root), { code: 'ERR_FILE_INVALID', message: /expected the column "key" of/ });
});

test('what is cut off, compressed, or something else is told', async () => {
  for (const [file, size, message] of [
    ['pictures.parquet', 19_000, /expected a whole parquet file, which this is not \(its end is missing\)/],
    ['pictures.parquet', 6, /expected a whole parquet file, which this is not \(its end is missing\)/],
    ['pictures.parquet', 3, /expected a parquet file, received something else, which does not begin with PAR1/],
    ['pictures.parquet', 0, /expected a parquet file, received an empty file\. Write it anew, or name another\.$/],
    ['saved-0.arrow', 0, /expected an Arrow file or stream, received an empty file/],
    [
      'saved-0.arrow',
      8000,
      /expected a whole Arrow file without compression, which this is not \(the file ends within a message\)/,
    ],
    ['compressed.arrow', undefined, /which this is not \(it is compressed\)/],
    ['typed.arrow', 4, /received something else, which does not begin with ARROW1/],
    ['typed.arrow', 8, /which this is not \(it does not begin with a schema\)/],
  ] as const) {
    const path = join(folder, file);
    copyFileSync(join(golden, file), path);
    if (size !== undefined) truncateSync(path, size);
    await assert.rejects(read(path), { code: 'ERR_FILE_INVALID', message });
  }
  for (const kind of ['parquet', 'arrow']) {
    const path = join(folder, `foreign.${kind}`);
    for (const text of ['id,prompt\na,b\n', '<html></html>', '\0'.repeat(64), 'PK\x03\x04 zip']) {
      writeFileSync(path, text);
      await assert.rejects(read(path), {
        code: 'ERR_FILE_INVALID',
        message: /received something else, which does not/,
      });
    }
  }
  await assert.rejects(read(join(folder, 'none.parquet')), { code: 'ERR_FILE_READ', message: /found none/ });
});

test('an Arrow message of a negative size is told, and not read for ever', { timeout: 30_000 }, async () => {
  const path = join(folder, 'negative.arrow');
  const bytes = readFileSync(join(golden, 'saved-0.arrow'));
  // Behind the schema: a mark, the length of the head, and the head, a FlatBuffer whose field 3 is the body's length.
  const start = 8 + bytes.readInt32LE(4);
  const headLength = bytes.readInt32LE(start + 4);
  const root = start + 8 + bytes.readInt32LE(start + 8);
  const field = bytes.readUInt16LE(root - bytes.readInt32LE(root) + 4 + 2 * 3);
  assert.ok(bytes.readBigInt64LE(root + field) > 0n, 'the length of its body');
  bytes.writeBigInt64LE(BigInt(-8 - headLength), root + field); // so that it would follow itself
  writeFileSync(path, bytes);
  await assert.rejects(read(path), { code: 'ERR_FILE_INVALID', message: /a message of a negative size/ });
});

test('an Arrow file with a wrong byte anywhere is read, or told of with its code', async () => {
  const path = join(folder, 'typed.arrow');
  const whole = readFileSync(join(golden, 'typed.arrow'));
  let toldCount = 0;
  for (let at = 0; at < whole.length; at += 3) {
    const bytes = Buffer.from(whole);
    bytes[at] = bytes[at] === 0xff ? 0x7f : 0xff;
    writeFileSync(path, bytes);
    await read(path).catch((error: unknown) => {
      toldCount++;
      assert.ok(error instanceof FileError && error.code === 'ERR_FILE_INVALID', `byte ${at}: ${String(error)}`);
    });
  }
  assert.ok(toldCount > 100, `${toldCount} were told of`);
});

test('a page that is spoilt ends the reading where it lies; rows before it were given', async () => {
  const path = join(folder, 'spoilt.parquet');
  const bytes = readFileSync(join(golden, 'pages-1.parquet'));
  const middle = Math.floor(bytes.length / 2);
  bytes.fill(0xff, middle, middle + 4000);
  writeFileSync(path, bytes);
  const table = await openTable(path, 'parquet');
  let count = 0;
  await assert.rejects(
    async () => {
      for await (const _row of table.rows(table.columns)) count++;
    },
    { code: 'ERR_FILE_INVALID', message: /spoilt\.parquet": expected a whole parquet file/ },
  );
  await table.close();
  assert.ok(count < 3000, `${count} rows were read of a spoilt file`);
});

test('parquet that is written is read back, by groups', async () => {
  const path = join(folder, 'written.parquet');
  const file = await open(path, 'w');
  const columns = [
    { name: 'text', type: 'STRING' },
    { name: 'count', type: 'INT64' },
    { name: 'share', type: 'DOUBLE' },
    { name: 'flag', type: 'BOOLEAN' },
  ] as const;
  const row = (index: number) => [index % 5 === 0 ? null : `größe ${index}`, index, index / 3, index % 2 === 0];
  await writeParquet(
    file,
    columns,
    (async function* () {
      for (let index = 0; index < 3000; index++) yield row(index);
    })(),
  );
  await file.close();
  const { rows } = await read(path);
  assert.equal(rows.length, 3000);
  for (const [index, { text, count, share, flag }] of rows.entries())
    assert.deepEqual([text ?? null, Number(count), share, flag], row(index));
});

test('a picture is bytes, a path, base64, or a struct of them', () => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
    'base64',
  );
  const text = png.toString('base64');
  for (const cell of [
    new Uint8Array(png),
    text,
    { bytes: new Uint8Array(png), path: 'a.png' },
    { bytes: text, path: null },
  ]) {
    const picture = pictureOf(cell);
    assert.ok(picture !== null && 'bytes' in picture);
    assert.ok(png.equals(picture.bytes));
  }
  for (const cell of ['a.png', { bytes: null, path: 'a.png' }, { bytes: new Uint8Array(0), path: 'a.png' }])
    assert.deepEqual(pictureOf(cell), { path: 'a.png' });
  assert.deepEqual(pictureOf('/9j/short'), { path: '/9j/short' });
  const path = `/9j/${'folder/'.repeat(20)}picture.png`;
  assert.deepEqual(pictureOf(path), { path }, 'a path that begins as a JPEG does');
  for (const cell of [null, undefined, '', 7, {}, { bytes: null, path: null }, []]) assert.equal(pictureOf(cell), null);
});
