/** Requests from tables: which columns they take, what a row becomes, and what is refused before anything is asked. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type BatchRequest,
  checkReadable,
  countRequests,
  type ReadingOptions,
  type RefusedRequest,
  readRequests,
  requestsOf,
} from '../../src/batch/index.js';

const golden = fileURLToPath(new URL('../golden/tables/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-table-requests-'));
after(() => rmSync(folder, { recursive: true }));
const pictures = join(folder, 'pictures');
mkdirSync(pictures);

type Read = BatchRequest | RefusedRequest;

async function read(path: string, options: ReadingOptions = {}): Promise<Read[]> {
  const requests: Read[] = [];
  for await (const request of readRequests(path, options)) requests.push(request);
  assert.equal(await countRequests(path, options), requests.length);
  return requests;
}

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const asked = (requests: readonly Read[]) =>
  requests.map((request) => ('error' in request ? [request.id, request.error.code] : [request.id, request.request]));

test('a row is a request: options are what they are, texts are texts, empty cells are absent', async () => {
  const path = written(
    'own.csv',
    'id,prompt,image,images,seed,method,temperature,stop,answer\n' +
      '007,12,a.png,,7,vanilla,0.5,"[""x""]",x\n' +
      ',"[1, 2]",,"[""a.png"",""b.png""]",,,,1,\n' +
      ',b,,c.png,,,,,\n',
  );
  assert.deepEqual(asked(await read(path)), [
    ['007', { prompt: '12', image: join(folder, 'a.png'), seed: 7, method: 'vanilla', temperature: 0.5, stop: ['x'] }],
    ['row-2', { prompt: '[1, 2]', images: [join(folder, 'a.png'), join(folder, 'b.png')], stop: 1 }],
    ['row-3', { prompt: 'b', images: [join(folder, 'c.png')] }],
  ]);
});

test('every option of a request may be a column, and what is a text there is one', async () => {
  const path = written(
    'options.csv',
    'prompt,exact,reuse,gate,ladder,captionPrompt,refusingPrefix\n' + 'a,true,false,answer,"[""caption""]",12,"[no]"\n',
  );
  assert.deepEqual(asked(await read(path)), [
    [
      'row-1',
      {
        prompt: 'a',
        exact: true,
        reuse: false,
        gate: 'answer',
        ladder: ['caption'],
        captionPrompt: '12',
        refusingPrefix: '[no]',
      },
    ],
  ]);
});

test('the same requests have the same digests, whatever they are written in', async () => {
  const digests = async (path: string) => (await read(path)).map(({ id, digest }) => [id, digest]);
  const csv = written('same.csv', 'id,prompt,image,seed\na,What?,a.png,7\nb,Why?,,\n');
  const lines = '{"id":"a","prompt":"What?","image":"a.png","seed":7}\n{"id":"b","prompt":"Why?"}\n';
  assert.deepEqual(await digests(csv), await digests(written('same.jsonl', lines)));
});

test('values of parquet and Arrow: integers, structs, lists, conversations, dictionaries', async () => {
  const map = {
    prompt: 'prompt',
    messages: 'messages',
    image: 'image',
    images: 'images',
    method: 'method',
    seed: 'seed',
  };
  for (const file of ['typed.parquet', 'typed.arrow']) {
    const requests = asked(await read(join(golden, file), { map, imageRoot: pictures }));
    const [, third] = requests[2] as [string, { image: Uint8Array }];
    assert.deepEqual(requests.slice(0, 2), [
      ['10', { prompt: 'one', image: join(pictures, 'a.png'), method: 'vanilla', seed: 7 }],
      ['11', { turns: [{ role: 'user', text: 'two' }], method: 'eta' }],
    ]);
    assert.equal(third.image.length, 69);
    assert.deepEqual({ ...third, image: 0 }, { prompt: 'three', image: 0, seed: 4294967295 });
  }
});

test('pictures of a data set are bytes; a row without one is asked without', async () => {
  const requests = await read(join(golden, 'pictures.parquet'), { map: { prompt: 'question', image: 'img' } });
  assert.deepEqual(
    requests.map((request) => [
      request.id,
      request.line,
      'request' in request && request.request.image instanceof Uint8Array,
    ]),
    [1, 2, 3, 4, 5, 6].map((row) => [`row-${row}`, row, row !== 3]),
  );
  const named = await read(join(golden, 'pictures.parquet'), { map: { id: 'key', prompt: 'question' } });
  assert.deepEqual(
    named.map(({ id }) => id),
    ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'],
  );
});

test('columns that no request has are refused by name, with a map that may be meant', async () => {
  for (const [header, message] of [
    ['question,img,label', /received question, img, label\. .*map: 'prompt=question,image=img'/],
    ['prompt,imagee', /received prompt, imagee\. Did you mean 'image' by 'imagee'\?/],
    ['id,image', /received id, image\./],
    ['text,image', /received text, image\. .*map: 'prompt=text,image=image'/],
    [
      '"question, please",my img',
      /received "question, please", my img\. .*map: 'prompt="question, please",image=my img'/,
    ],
    ['"say ""question""",img', /map: 'prompt="say ""question""",image=img'/],
    ["what's the question,img", /map: 'image=img'/],
    ['a,What', /map: 'prompt=COLUMN'; .* The first row has to hold the names\.$/],
    ['What is this?,pics/a.png', /received What is this\?, pics\/a\.png\. Is that the first request, and no header\?/],
  ] as const) {
    const path = written('columns.csv', `${header}\n`);
    const refusal = { code: 'ERR_COLUMNS', message };
    await assert.rejects(checkReadable(path), refusal);
    await assert.rejects(read(path), refusal);
  }
  await checkReadable(written('columns.csv', ',prompt,category\n')); // an index without a name; notes of a question
});

test('a map is held against the columns', async () => {
  const path = written('mapped.csv', 'key,question,img,promt\n1,What?,a.png,x\n');
  for (const [map, code, message] of [
    [
      { prompt: 'qestion' },
      'ERR_COLUMNS',
      /expected a column "qestion" for prompt, received key, question, img, promt\. Did you mean 'question'\?/,
    ],
    [{ promt: 'question' }, 'ERR_UNKNOWN_OPTION', /map: unknown field 'promt'\. Did you mean 'prompt'\?/],
    [{ image: 'img' }, 'ERR_COLUMNS', /expected a map that says which column asks/],
    [{ prompt: 'question', signal: 'img' }, 'ERR_UNKNOWN_OPTION', /unknown field 'signal'/],
  ] as const)
    await assert.rejects(checkReadable(path, { map: { ...map } }), { code, message });
  const map = { id: 'key', prompt: 'question', image: 'img' };
  assert.deepEqual(asked(await read(path, { map, imageRoot: pictures })), [
    ['1', { prompt: 'What?', image: join(pictures, 'a.png') }],
  ]);
});

test('a map reads lines of others too, field by field', async () => {
  const path = written(
    'mapped.jsonl',
    '{"question_id":5,"question":"What?","img":"a.png","label":3}\n{"question":"Why?"}\n{"img":"b.png"}\n',
  );
  assert.deepEqual(asked(await read(path, { map: { prompt: 'question', image: 'img' } })), [
    ['5', { prompt: 'What?', image: join(folder, 'a.png') }],
    ['line-2', { prompt: 'Why?' }],
    [null, 'ERR_COLUMNS'],
  ]);
});

test('a column, and a field of a line, may be called as what every object has; where it is empty it is absent', async () => {
  const map = { prompt: 'toString', image: 'constructor' };
  for (const path of [
    written('named.csv', 'toString,constructor\na,a.png\nb,\n'),
    written('named.jsonl', '{"toString":"a","constructor":"a.png"}\n{"toString":"b"}\n'),
  ])
    assert.deepEqual(
      asked(await read(path, { map })).map(([, request]) => request),
      [{ prompt: 'a', image: join(folder, 'a.png') }, { prompt: 'b' }],
      path,
    );
});

test('pictures that are none are told by their place; what lies elsewhere is no file of the folder', async () => {
  const path = written(
    'cells.csv',
    'prompt,image,images\na,,"[""a.png"",7]"\nb,7,\nc,s3://bucket/a.png,\nd,,ftp://host/a.png\ne,12:30.png,\nf,file:///a.png,\n',
  );
  const found = (await read(path)).map((request) => ('error' in request ? request.error.message : request.request));
  assert.match(String(found[0]), /^request: images\.1: expected a path, .*; received 7\.$/);
  assert.deepEqual(found.slice(1), [
    { prompt: 'b', image: join(folder, '7') },
    { prompt: 'c', image: 's3://bucket/a.png' },
    { prompt: 'd', images: ['ftp://host/a.png'] },
    { prompt: 'e', image: join(folder, '12:30.png') },
    { prompt: 'f', image: 'file:///a.png' },
  ]);
  const turns = JSON.stringify({ turns: [{ role: 'user', text: 'a', images: ['a.png', ''] }] });
  const [line] = await read(written('turns.jsonl', `${turns}\n`));
  assert.ok(line !== undefined && 'error' in line);
  assert.match(line.error.message, /^request: turns\.0\.images\.1: expected a path/);
});

test('a folder of pictures that is not there is refused before anything is read', async () => {
  const path = written('rooted.csv', 'prompt,image\na,a.png\n');
  for (const [imageRoot, received] of [
    [join(folder, 'nope'), 'not there'],
    [path, 'none'],
  ] as const) {
    const refusal = { code: 'ERR_INVALID_OPTION', message: new RegExp(`^imageRoot: .*, which is ${received}\\.$`) };
    await assert.rejects(checkReadable(path, { imageRoot }), refusal);
    await assert.rejects(read(path, { imageRoot }), refusal);
  }
});

test('a table that is read as lines is told so, once', async () => {
  const said = async (text: string) =>
    (await read(written('lines.txt', text))).map((one) => ('error' in one ? one.error.message : ''));
  const [first, second] = await said('id,prompt\na,What?\n');
  assert.match(first ?? '', /\. Read a table with format: 'csv'\.$/);
  assert.doesNotMatch(second ?? '', /table/);
  assert.match((await said('\ufeffid;"my prompt"\n')).join(), /table/);
  for (const text of ['{"id": "a", oops}\n', 'What is this\n', '["a", "b"\n'])
    assert.doesNotMatch((await said(text)).join(), /table/, text);
});

test('questions of LLaVA as a table; a row that is none leaves its error', async () => {
  const path = written(
    'llava.tsv',
    'question_id\timage\ttext\tcategory\n1\ta.png\tWhat?\tconv\n2\tb.png\n3\t\tWhy?\tconv',
  );
  assert.deepEqual(asked(await read(path)), [
    ['1', { prompt: 'What?', image: join(folder, 'a.png') }],
    [null, 'ERR_INVALID_LINE'],
    ['3', { prompt: 'Why?' }],
  ]);
});

test('CSV from a stream; what is no table by its name, by its format', async () => {
  const ids: (string | null)[] = [];
  const stream = Readable.from([Buffer.from('id,prom'), Buffer.from('pt\na,x\nb,"y\n'), Buffer.from('z"\n')]);
  for await (const { id } of requestsOf(stream, { what: 'stdin', folder: '.', format: 'csv' })) ids.push(id);
  assert.deepEqual(ids, ['a', 'b']);
  const path = written('table.txt', 'id,prompt\na,x\n');
  assert.deepEqual(asked(await read(path, { format: 'csv' })), [['a', { prompt: 'x' }]]);
  await assert.rejects(checkReadable(path, { split: 'train' }), {
    code: 'ERR_INVALID_OPTION',
    message: /^split: expected none/,
  });
  await assert.rejects(checkReadable(path, { format: 'folder' }), {
    code: 'ERR_FILE_READ',
    message: /Expected the folder/,
  });
  await assert.rejects(checkReadable(path, { format: 'parquet' }), { code: 'ERR_FILE_INVALID' });
});

test('shards share the rows of a table, each once', async () => {
  copyFileSync(join(golden, 'duckdb.parquet'), join(folder, 'many.parquet'));
  const map = { prompt: 'prompt' };
  const met: (string | null)[] = [];
  for (const index of [1, 2, 3])
    for await (const { id } of readRequests(join(folder, 'many.parquet'), { map, shard: { index, count: 3 } }))
      met.push(id);
  assert.equal(met.length, 3000);
  assert.equal(new Set(met).size, 3000);
});

test('fixtures of pandas: quotes and line breaks in cells, a byte order mark, semicolons', async () => {
  const [csv, tsv, sheet] = await Promise.all(
    ['pandas.csv', 'pandas.tsv', 'spreadsheet.csv'].map(async (file) =>
      asked(await read(join(golden, file), { imageRoot: pictures })),
    ),
  );
  assert.deepEqual(csv, [
    ['a', { prompt: 'Say "no",\nor yes', seed: 1 }],
    ['b', { prompt: 'Größe; 大きさ', image: join(pictures, 'b.png') }],
    ['c', { prompt: 'plain', image: join(pictures, 'c.png'), seed: 3 }],
  ]);
  assert.deepEqual(tsv, csv);
  assert.deepEqual(sheet, csv);
  assert.ok(readFileSync(join(golden, 'spreadsheet.csv'), 'latin1').startsWith('\xef\xbb\xbfid;prompt'));
});
