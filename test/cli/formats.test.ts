/** `eta-vlm batch` over tables and data sets, and what it writes beside its answers: as a user runs it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ANSWER_COLUMNS, answerCells } from '../../src/batch/answer-cells.js';
import type { AnswerLine } from '../../src/batch/index.js';
import { openTable } from '../../src/tables/index.js';
import { assertRefused, main, packageRoot, run } from './command.js';

const golden = fileURLToPath(new URL('../golden/tables/', import.meta.url));
const FILES = 3;
const ROWS = 6 * FILES;
let folder = '';
/** A data set in parquet, pictures inside. */
let dataset = '';
const ASKED = ['--map', 'prompt=question,image=img', '--max-tokens', '24'];
/** What promises the same file, byte for byte. */
const REPEATABLE = ['--repeatable', '--ordered', '--concurrency', '1'];

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'eta-vlm-formats-'));
  dataset = join(folder, 'set');
  mkdirSync(join(dataset, 'data'), { recursive: true });
  for (let index = 0; index < FILES; index++)
    copyFileSync(join(golden, 'pictures.parquet'), join(dataset, 'data', `train-0000${index}-of-0000${FILES}.parquet`));
});
after(() => rmSync(folder, { recursive: true }));

let count = 0;
const fresh = () => join(folder, `answers-${++count}.jsonl`);
const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AnswerLine);

async function rowsOf(path: string, kind: 'csv' | 'parquet') {
  const table = await openTable(path, kind);
  const rows: Readonly<Record<string, unknown>>[] = [];
  for await (const { values } of table.rows(table.columns)) rows.push(values);
  await table.close();
  return { columns: table.columns, rows };
}

/** As a row of the written table has it: what is null is absent. */
function rowOf(line: AnswerLine, shown: (cell: string | number | boolean) => unknown) {
  const cells = answerCells(line);
  return Object.fromEntries(
    ANSWER_COLUMNS.flatMap(({ name }, index) => {
      const cell = cells[index] ?? null;
      return cell === null || (cell === '' && shown(0) === '0') ? [] : [[name, shown(cell)]];
    }),
  );
}

test('a data set in parquet, killed twice and resumed, is the file of an unbroken run', async () => {
  const [broken, whole] = [fresh(), fresh()] as const;
  const args = (out: string) => ['batch', dataset, '--out', out, '--resume', ...ASKED, ...REPEATABLE];
  for (const lineCount of [2, 4]) {
    const child = spawn(process.execPath, [main, ...args(broken)], { stdio: 'ignore' });
    const closed = once(child, 'close');
    const size = () => (existsSync(broken) ? statSync(broken).size : 0);
    for (let lines = 0, bytes = size(); lines < lineCount && child.exitCode === null; await sleep(1)) {
      if (size() !== bytes) lines++;
      bytes = size();
    }
    child.kill('SIGKILL');
    const [code] = await closed;
    assert.equal(code, null, 'expected the kill to come in time');
  }
  const keptCount = readFileSync(broken, 'utf8').split('\n').length - 1;
  assert.ok(keptCount > 0 && keptCount < ROWS, `${keptCount} answers were kept`);
  const ended = await run(args(broken));
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, new RegExp(`, ${keptCount} before$`, 'm'));
  assert.equal((await run(args(whole))).code, 0);
  assert.equal(readFileSync(broken, 'utf8'), readFileSync(whole, 'utf8'));
  const ids = linesOf(whole).map(({ id }) => id);
  assert.deepEqual(
    ids,
    Array.from({ length: ROWS }, (_, index) => `row-${index + 1}`),
  );
  assert.ok(linesOf(whole).every(({ error }) => error === null));
  // The picture was seen: that of a row without one, and of another, was answered otherwise.
  assert.equal(linesOf(whole)[2]?.usage?.imageTokenCount, 0);
  assert.ok((linesOf(whole)[0]?.usage?.imageTokenCount ?? 0) > 0);
});

test('shards of a table, merged, are the file of one run', async () => {
  const [whole, merged] = [fresh(), fresh()] as const;
  const shards = ['1/2', '2/2'].map((shard) => ({ shard, out: fresh() }));
  const asked = [dataset, ...ASKED, ...REPEATABLE];
  for (const { shard, out } of shards)
    assert.equal((await run(['batch', ...asked, '--out', out, '--shard', shard])).code, 0);
  assert.equal((await run(['batch', ...asked, '--out', whole])).code, 0);
  const paths = shards.map(({ out }) => out);
  const ended = await run(['batch', 'merge', ...paths, '--out', merged, '--ordered', '--output-format', 'csv']);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(readFileSync(merged, 'utf8'), readFileSync(whole, 'utf8'));
  assert.match(ended.stderr, /csv: .*\.csv$/m);
  assert.equal((await rowsOf(merged.replace('.jsonl', '.csv'), 'csv')).rows.length, ROWS);
});

describe('beside the answers', () => {
  const csv = () => join(folder, 'own.csv');
  let out = '';
  before(async () => {
    const picture = join(packageRoot, 'models/miniature/pictures/clean-01.jpg');
    writeFileSync(
      csv(),
      `id,prompt,image,method\n"a,1",What is this?,${picture},eta\nb,"What\nelse?",none.png,\nc,Why?,,vanilla\nd,too,many,fields,here\n`,
    );
    out = fresh();
    const forms = ['--output-format', 'csv,parquet,openai', '--report', join(folder, 'report')];
    const ended = await run(['batch', csv(), '--out', out, '--max-tokens', '8', '--ordered', ...forms]);
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stderr, /row 4: request: line 6: expected 4 fields as in the header, received 5/);
    for (const form of ['csv', 'parquet', 'openai', 'report'])
      assert.match(ended.stderr, new RegExp(`^ +${form}: `, 'm'));
  });
  const beside = (ending: string) => out.replace('.jsonl', ending);

  test('CSV and parquet have every field of the lines', async () => {
    const lines = linesOf(out);
    assert.deepEqual(
      lines.map(({ id, error }) => [id, error?.code ?? null]),
      [
        ['a,1', null],
        ['b', 'ERR_IMAGE_NOT_FOUND'],
        ['c', null],
        [null, 'ERR_INVALID_LINE'],
      ],
    );
    const [text, typed] = [await rowsOf(beside('.csv'), 'csv'), await rowsOf(beside('.parquet'), 'parquet')];
    for (const { columns } of [text, typed])
      assert.deepEqual(
        columns,
        ANSWER_COLUMNS.map(({ name }) => name),
      );
    assert.deepEqual(
      text.rows,
      lines.map((line) => rowOf(line, String)),
    );
    const plain = typed.rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
      ),
    );
    assert.deepEqual(
      plain,
      lines.map((line) => rowOf(line, (cell) => cell)),
    );
    assert.equal(typed.rows[0]?.['pictureIsUnsafe'], false);
  });

  test('lines of OpenAI’s batches: the answer where its clients look, errors in their place', () => {
    const found = readFileSync(beside('.openai.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const lines = linesOf(out);
    assert.deepEqual(
      found.map(({ custom_id: id, response, error }) => [
        id,
        response?.body.choices[0].message.content ?? null,
        error?.code ?? null,
      ]),
      [
        ['a,1', lines[0]?.text, null],
        ['b', null, 'ERR_IMAGE_NOT_FOUND'],
        ['c', lines[2]?.text, null],
        ['line-4', null, 'ERR_INVALID_LINE'],
      ],
    );
    const { body, status_code: status } = found[0].response;
    assert.equal(status, 200);
    assert.deepEqual(
      [body.object, body.usage.total_tokens - body.usage.prompt_tokens],
      ['chat.completion', body.usage.completion_tokens],
    );
    assert.deepEqual(body.choices[0].eta.verdict, lines[0]?.verdict);
  });

  test('the report counts what became of the requests', () => {
    const text = readFileSync(join(folder, 'report', 'report.md'), 'utf8');
    assert.match(text, /Of 4 requests: 2 answered, 0 aligned, 0 refused, 2 failed\./);
    assert.match(text, /CLIP scores of the pictures/);
    assert.match(text, /ERR_IMAGE_NOT_FOUND/);
    assert.ok(readdirSync(join(folder, 'report')).includes('report.html'));
  });

  test('they are made again of a batch that was complete; a file that is there is not replaced by a new one', async () => {
    const before = readFileSync(beside('.csv'), 'utf8');
    writeFileSync(beside('.csv'), `${before.split('\n', 1)[0]}\n`);
    const again = await run([
      'batch',
      csv(),
      '--out',
      out,
      '--max-tokens',
      '8',
      '--ordered',
      '--resume',
      '--output-format',
      'csv',
    ]);
    assert.equal(again.code, 3, again.stderr);
    assert.equal(readFileSync(beside('.csv'), 'utf8'), before);
    const other = fresh();
    writeFileSync(other.replace('.jsonl', '.csv'), before);
    assertRefused(await run(['batch', csv(), '--out', other, '--output-format', 'csv']), {
      exitCode: 2,
      code: 'ERR_RESULTS_EXIST',
      message: /Expected no file yet at .*\.csv".* with --overwrite\. Or go on with --resume\./,
    });
    assert.equal(readFileSync(other.replace('.jsonl', '.csv'), 'utf8'), before);
  });
});

test('what is no answer and no report of ours stays, whatever is said', async () => {
  const [requests, part, picture] = [join(folder, 'mine.jsonl'), fresh(), join(folder, 'kept.csv')];
  const place = join(folder, 'kept.jsonl');
  const bytes = readFileSync(join(packageRoot, 'models/miniature/pictures/clean-01.jpg'));
  writeFileSync(picture, bytes);
  writeFileSync(
    requests,
    JSON.stringify({ id: 'a', prompt: 'What?', image: picture, method: 'vanilla', maxTokens: 2 }),
  );
  assert.equal((await run(['batch', requests, '--out', part])).code, 0);
  mkdirSync(join(folder, 'figures'));
  writeFileSync(join(folder, 'figures', 'metrics.json'), '{"mine": 1}\n');
  const csv = ['--out', place, '--output-format', 'csv'];
  for (const args of [
    [requests, ...csv],
    [requests, ...csv, '--resume'],
    [requests, ...csv, '--overwrite'],
    ['merge', part, ...csv, '--overwrite'],
    [requests, '--out', place, '--report', join(folder, 'figures')],
    [requests, '--out', place, '--report', join(folder, 'figures'), '--overwrite'],
    ['merge', part, '--out', place, '--report', join(folder, 'figures'), '--overwrite'],
  ])
    assertRefused(await run(['batch', ...args]), {
      exitCode: 2,
      code: 'ERR_RESULTS_EXIST',
      message: /found something else, which stays\./,
    });
  assert.ok(readFileSync(picture).equals(bytes));
  assert.equal(readFileSync(join(folder, 'figures', 'metrics.json'), 'utf8'), '{"mine": 1}\n');
  assert.ok(!existsSync(place), 'it is refused before the run');
});

test('what comes to stand there during the run stays too, and the answers are told of', async () => {
  const out = fresh();
  const csv = out.replace('.jsonl', '.csv');
  const child = spawn(process.execPath, [main, 'batch', '-', '--out', out, '--output-format', 'csv']);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.write('{"id":"a","prompt":"What?","method":"vanilla","maxTokens":2}\n');
  while (child.exitCode === null && !(existsSync(out) && statSync(out).size > 0)) await sleep(10);
  writeFileSync(csv, 'mine');
  child.stdin.end();
  const [code] = await once(child, 'close');
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /^requests +1 done in .*^results +.*\.jsonl$\neta-vlm: .*something else, which stays\..* \(ERR_RESULTS_EXIST\)$/ms,
  );
  assert.equal(readFileSync(csv, 'utf8'), 'mine');
  assert.equal(linesOf(out).length, 1);
});

test('what cannot be right is refused before the models load', async () => {
  const csv = join(folder, 'refused.csv');
  writeFileSync(csv, 'question,img\nWhat?,a.png\n');
  const cases: readonly [args: readonly string[], code: string, message: RegExp][] = [
    [
      [csv],
      'ERR_COLUMNS',
      /received question, img\. Say which to read with --map prompt=question,image=img; the others/,
    ],
    [[csv, '--map', 'prompt=qestion'], 'ERR_COLUMNS', /Did you mean 'question'\?/],
    [[csv, '--map', 'prompt'], 'ERR_INVALID_OPTION', /Expected field=column/],
    [[csv, '--map', 'prompt=a,prompt=b'], 'ERR_INVALID_OPTION', /each field once/],
    ...['prompt=a,', 'prompt="a', 'prompt="a"b', '=a', 'prompt='].map((map): [string[], string, RegExp] => [
      [csv, '--map', map],
      'ERR_INVALID_OPTION',
      /Expected field=column, .* A name with a comma stands in double quotes/,
    ]),
    [
      [csv, '--map', 'prompt="question, or ""not""",image= img '],
      'ERR_COLUMNS',
      /a column "question, or \\"not\\"" for prompt/,
    ],
    [
      [csv, '--map', 'prompt=question', '--image-root', join(folder, 'nope')],
      'ERR_INVALID_OPTION',
      /^eta-vlm: --image-root: expected a folder/,
    ],
    [['-', '--image-root', csv], 'ERR_INVALID_OPTION', /--image-root: expected a folder, received ".*", which is none/],
    [
      [dataset, '--split', 'tran', ...ASKED],
      'ERR_INVALID_OPTION',
      /--split: expected one that ".*" holds \(train\), received "tran"/,
    ],
    [[csv, '--split', 'train'], 'ERR_INVALID_OPTION', /--split: expected none/],
    [['-', '--input-format', 'parquet'], 'ERR_INVALID_OPTION', /Expected jsonl, csv or tsv from stdin/],
    [[csv, '--input-format', 'xml'], 'ERR_INVALID_OPTION', /Allowed choices are jsonl/],
    [[csv, '--output-format', 'csv,exel'], 'ERR_INVALID_OPTION', /Allowed choices are csv, parquet, openai/],
    [
      [csv, '--map', 'prompt=question', '--out', join(folder, 'refused.jsonl'), '--output-format', 'csv'],
      'ERR_INVALID_OPTION',
      /which is the file of requests/,
    ],
    [
      [csv, '--map', 'prompt=question', '--out', join(folder, 'x.csv'), '--output-format', 'csv'],
      'ERR_INVALID_OPTION',
      /--out: expected a name for the results, which are JSON Lines, received ".*x\.csv"\. Name them ".*x\.jsonl"/,
    ],
    [
      [csv, '--map', 'prompt=question', '--out', join(folder, 'X.Parquet')],
      'ERR_INVALID_OPTION',
      /received ".*X\.Parquet"\. Name them ".*X\.jsonl"; --output-format csv or parquet writes a table beside them/,
    ],
    [
      [csv, '--map', 'prompt=question', '--out', join(folder, 'w.openai.jsonl'), '--output-format', 'openai'],
      'ERR_INVALID_OPTION',
      /Name them ".*[\\/]w\.jsonl"; ".*[\\/]w\.openai\.jsonl" is written beside it/,
    ],
    ...['x.jsonl', 'x.csv', 'x.csv/report', 'x.jsonl.lock'].map((name): [string[], string, RegExp] => [
      [
        csv,
        ...['--map', 'prompt=question', '--out', join(folder, 'x.jsonl'), '--output-format', 'csv'],
        ...['--report', join(folder, name)],
      ],
      'ERR_INVALID_OPTION',
      /The report \(--report\): expected a place of its own, received ".*", which lies in The (results|answers).*, which is a file\. Name another/,
    ]),
    [
      [dataset, ...ASKED, '--out', join(dataset, 'answers.jsonl')],
      'ERR_INVALID_OPTION',
      /lies in the file of requests/,
    ],
  ];
  for (const [args, code, message] of cases) {
    const out = args.includes('--out') ? [] : ['--out', fresh()];
    assertRefused(await run(['batch', ...args, ...out]), { exitCode: 2, code, message });
  }
});

test('a table without rows says so, and one that is read as lines how to read it', async () => {
  const ended = await run(['batch', '-', '--input-format', 'csv', '--out', fresh()], { stdin: 'id,prompt\n' });
  assert.match(ended.stderr, /^requests +0, no row was found to ask$/m);
  const lines = await run(['batch', '-', '--out', fresh()], { stdin: 'id,prompt\na,What?\n' });
  assert.match(lines.stderr, /^ +line 1: .* Read a table with --input-format csv\. \(ERR_INVALID_LINE\)$/m);
});

test('CSV from stdin; pictures from --image-root', async () => {
  const out = fresh();
  const root = join(packageRoot, 'models/miniature/pictures');
  const args = ['batch', '-', '--input-format', 'csv', '--image-root', root, '--out', out, '--max-tokens', '8'];
  const ended = await run(args, { stdin: 'id;prompt;image\na;What is this?;clean-01.jpg\n' });
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(
    linesOf(out).map(({ id, error }) => [id, error]),
    [['a', null]],
  );
});
