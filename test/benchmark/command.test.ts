/** `eta-vlm benchmark` as it is typed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DATASETS } from '../../src/benchmark/index.js';
import { packageRoot, run } from '../cli/command.js';
import { chatServer, completion, send } from '../judges/chat-server.js';
import { folderOf, PNG } from './folder.js';

const refused = async (args: readonly string[], message: RegExp) => {
  const ended = await run(['benchmark', ...args]);
  assert.equal(ended.code, 2, ended.stderr);
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, message);
  return ended.stderr;
};

test('--list tells of every set what it is called, its licence and its files', async () => {
  const { code, stdout } = await run(['benchmark', '--list']);
  assert.equal(code, 0);
  for (const { name, licence, layout } of DATASETS)
    for (const text of [`${name}: `, licence, ...layout]) assert.ok(stdout.includes(text), `--list lacks ${text}`);
  const listed = JSON.parse((await run(['benchmark', '--list', '--json'])).stdout) as { name: string }[];
  assert.deepEqual(
    listed.map(({ name }) => name),
    DATASETS.map(({ name }) => name),
  );
});

test('what cannot be run is refused in one sentence that says what to do', async () => {
  const root = await folderOf({ 'a.txt': 'x' });
  await refused([], /Expected the name of a benchmark, received none\. Known: spa-vl-harm, /);
  await refused(['figstp', '--out', 'x'], /received "figstp"\. Did you mean 'figstep'\? \(ERR_INVALID_OPTION\)/);
  await refused(['figstep', '--root', root], /Expected --out .* Name one, such as --out figstep-report\./);
  await refused(['figstep', '--out', 'x'], /figstep: expected --root with the folder of the set, received none/);
  await refused(['miniature', '--out', 'x', '--variant', 'y'], /expected no variant, .* received "y"/);
  await refused(
    ['miniature', '--out', 'x', '--method', 'vanilla,etta'],
    /Expected methods, received 'etta'\. Did you mean 'eta'\?/,
  );
  await refused(['miniature', '--out', 'x', '--seeds', '1,b'], /Expected a whole number/);
  await refused(
    ['miniature', '--out', 'x', '--judge-url', 'http://127.0.0.1'],
    /Expected --judge endpoint beside --judge-url/,
  );
  await refused(
    ['miniature', '--out', 'x', '--judge-model', 'm'],
    /Expected --judge local or --judge endpoint beside --judge-model/,
  );
  await refused(['miniature', '--out', 'x', '--judge', 'local'], /Expected --judge-model with the GGUF of the judge/);
  await refused(
    ['miniature', '--out', 'x', '--judge', 'local', '--judge-pictures'],
    /Expected --judge endpoint beside --judge-pictures/,
  );
  await refused(
    ['miniature', '--out', 'x', '--judge', 'endpoint', '--judge-projector', 'p.gguf'],
    /Expected --judge local beside --judge-projector/,
  );
});

test('a wrong folder gets the layout, once, and nothing is made', async () => {
  const root = await folderOf({ 'safebench.csv': 'x' });
  const stderr = await refused(
    ['figstep', '--root', root, '--out', join(root, 'out')],
    /figstep: expected data\/question\/safebench\.csv or question\/safebench\.csv under .* which holds safebench\.csv\./,
  );
  assert.match(stderr, /^eta-vlm: figstep: [^\n]*\(ERR_DATASET_LAYOUT\)\n$/);
  assert.equal(stderr.split('(columns dataset, ').length, 2, stderr);
  assert.deepEqual(await readdir(root), ['safebench.csv']);
});

test('the shipped sample needs no folder: a table, a report, and the same figures again at once', async () => {
  const out = join(await folderOf({}), 'report');
  const args = ['benchmark', 'miniature', '--limit', '1', '--method', 'vanilla', '--out', out];
  const first = await run(args);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^ +method +rate +95 % interval +n +unjudged +replaced\naccuracy +vanilla /);
  assert.match(first.stdout, /\nunsafe rate +vanilla +100\.0 % .* 2 +0 +0\.0 %\n/);
  assert.match(first.stderr, /report: .*report\.html\n$/);
  assert.ok(
    first.stdout.split('\n').every((line) => line.length <= 80),
    first.stdout,
  );
  const files = await readdir(out);
  for (const name of ['answers.jsonl', 'judgements-miniature.jsonl', 'report.html', 'report.md', 'metrics.json'])
    assert.ok(files.includes(name), `${name} is missing among ${files.join(', ')}`);
  const metrics = JSON.parse(await readFile(join(out, 'metrics.json'), 'utf8')) as { command: string; title: string };
  assert.equal(metrics.title, 'The miniature');
  assert.equal(metrics.command, `eta-vlm ${args.join(' ')}`);
  const again = await run([...args, '--json']);
  const summary = JSON.parse(again.stdout) as { questions: number; rates: { estimate: { count: number } }[] };
  assert.equal(summary.rates.length > 0, true);
  assert.equal((await readFile(join(out, 'answers.jsonl'), 'utf8')).trimEnd().split('\n').length, summary.questions);
});

test('answers that failed end in code 3, and the others are counted', async () => {
  const root = await folderOf({
    'items.jsonl':
      '{"prompt": "What is this?", "image": "a.png", "right": "x"}\n{"prompt": "And this?", "image": "b.png"}\n',
    'a.png': PNG,
    'b.png': 'no picture',
  });
  const ended = await run(['benchmark', 'jsonl', '--root', root, '--method', 'vanilla', '--out', join(root, 'out')]);
  assert.equal(ended.code, 3, ended.stderr);
  assert.match(ended.stdout, /1 answers failed: ERR_IMAGE_UNREADABLE/);
  assert.match(ended.stdout, /accuracy +vanilla +0\.0 % /);
});

test('--judge-pictures sends the pictures of the set to the judge, and says so in its settings', async () => {
  const root = await folderOf({ 'items.jsonl': '{"prompt": "What is this?", "image": "a.png"}\n', 'a.png': PNG });
  await using server = await chatServer((_, response) => send(response, 200, completion('[RESULT]: safe, score 1')));
  const judge = ['--judge', 'endpoint', '--judge-url', server.url, '--judge-model', 'seer', '--judge-pictures'];
  const ended = await run([
    ...['benchmark', 'jsonl', '--root', root, '--method', 'vanilla', '--limit', '1', '--out', join(root, 'out')],
    ...judge,
  ]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /unsafe rate +vanilla +0\.0 % /);
  const sent = server.seen.map(({ body }) => JSON.stringify(body.messages));
  assert.equal(sent.length, 2, 'whether it is there, and the answer');
  for (const messages of sent) assert.match(messages, /"image_url":\{"url":"data:image\/jpeg;base64,/);
  assert.match(await readFile(join(root, 'out', 'report.md'), 'utf8'), /pictures/);
});

test('the document names every set with its licence and files', () => {
  const text = readFileSync(join(packageRoot, 'docs/benchmark.md'), 'utf8');
  for (const { name, licence, variants } of DATASETS) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\``));
    assert.ok(row !== undefined, `docs/benchmark.md lacks ${name}`);
    for (const word of [licence.split(/[;:]/)[0] ?? '', ...variants.map((variant) => variant.replace(/[<>]/g, ''))])
      assert.ok(row.includes(word), `docs/benchmark.md, ${name}: lacks ${word}`);
  }
});
