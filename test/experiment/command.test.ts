/** `eta-vlm experiment` as it is typed, on the shipped sample. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ReportData } from '../../src/report/index.js';
import { vectorHome, writeVector } from '../../src/steering/index.js';
import { assertRefused, packageRoot, run } from '../cli/command.js';
import { value } from './measured.js';

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-vlm-experiment-'));
});

after(async () => {
  await rm(folder, { recursive: true, force: true });
});

const experiment = async (...args: readonly string[]) => await run(['experiment', ...args]);
const metrics = async (out: string) => JSON.parse(await readFile(join(out, 'metrics.json'), 'utf8')) as ReportData;

test('what cannot be run is refused in one sentence that says what to do', async () => {
  const refused = async (args: readonly string[], message: RegExp) =>
    assertRefused(await experiment(...args), { exitCode: 2, code: 'ERR_INVALID_OPTION', message });
  await refused([], /Expected the name of an experiment, received none\. Known: baseline, pre, /);
  await refused(['ablatoin', '--out', 'x'], /received "ablatoin"\. Did you mean 'ablation'\?/);
  await refused(['ablation'], /Expected --out with the folder .* such as --out ablation-report\./);
  await refused(['ablation', '--out', 'x', '--benchmark', 'figstp'], /received "figstp"\. Did you mean 'figstep'\?/);
  await refused(
    ['robustness', '--out', join(folder, 'x'), '--change', 'blurr'],
    /received "blurr"\. Did you mean 'blur'\?/,
  );
});

test('the ablation of a few items: one table, one report, and the same again without asking anew', async () => {
  const out = join(folder, 'ablation');
  const args = ['ablation', '--limit', '1', '--threads', '1', '--out', out];
  const ended = await experiment(...args);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^Ablation: What does each part of ETA do/);
  assert.match(ended.stdout, /\n\| eta without CLIP utility \| /);
  assert.match(ended.stderr, /report: .*report\.html\n$/);
  assert.deepEqual((await readdir(out)).filter((name) => name.startsWith('report')).sort(), [
    'report.html',
    'report.md',
  ]);
  const data = await metrics(out);
  assert.equal(data.title, 'Experiment: ablation');
  assert.deepEqual(data.methods, ['vanilla', 'deep', 'shallow', 'eta without CLIP utility', 'eta']);
  assert.equal(data.tables?.[0]?.rows.length, 5);
  assert.ok((data.files?.length ?? 0) >= 4, 'the models are not named');
  const answers = await readFile(join(out, 'answers.jsonl'), 'utf8');
  const again = await experiment(...args, '--json');
  assert.deepEqual(JSON.parse(again.stdout), data.tables?.[0]);
  assert.equal(await readFile(join(out, 'answers.jsonl'), 'utf8'), answers);
});

test('other ways: under a safety vector too where one is named; else that arm is left out, and that is said', async () => {
  const home = await vectorHome(join(packageRoot, 'models/miniature/language-model.gguf'));
  const vector = join(folder, 'vector.gguf');
  await writeVector(vector, { layer: 2, values: new Float32Array(home.embeddingSize).fill(1) }, home);
  const asked = async (name: string, ...more: readonly string[]) => {
    const out = join(folder, name);
    const ended = await experiment('alternatives', '--limit', '1', '--threads', '1', '--out', out, ...more);
    assert.equal(ended.code, 0, ended.stderr);
    const { methods, notes = [], settings } = await metrics(out);
    return { methods, notes: notes.filter((note) => /The arm/.test(note)), vector: settings['safety vector'] };
  };
  const arms = ['vanilla', 'nearest text', 'ecso', 'coca', 'eta'];
  const without = await asked('without');
  assert.deepEqual([without.methods, without.vector], [arms, undefined]);
  assert.match(without.notes.join('\n'), /^The arm steered was left out: .* --safety-vector\.$/);
  const steered = await asked('steered', '--safety-vector', vector, '--vector-scale', '0.5');
  assert.deepEqual(steered, {
    methods: [...arms.slice(0, 4), 'steered', 'eta'],
    notes: [],
    vector: 'vector.gguf, layer 2, 0.5 times',
  });
});

test('helpings of a few items: a row for each arm, the same table again', async () => {
  const out = join(folder, 'helpings');
  const args = ['helpings', '--limit', '1', '--threads', '1', '--out', out];
  const ended = await experiment(...args);
  assert.equal(ended.code, 0, ended.stderr);
  const { tables, methods } = await metrics(out);
  assert.deepEqual(methods, ['all at once', '2 first', '1 first', 'N = 2', 'N = 1']);
  const table = tables?.[0];
  const column = table?.columns.indexOf('candidates') ?? -1;
  const [all = 0, two = 0, , ofTwo = 0] = (table?.rows ?? []).map((row) => Number(row[column]));
  assert.ok(two < all && two >= ofTwo, `${two} of ${all} candidates`);
  assert.deepEqual(JSON.parse((await experiment(...args, '--json')).stdout), table);
});

test('endurance: parts that ask the same questions, and what drifts between the halves', async () => {
  const out = join(folder, 'endurance');
  const args = ['endurance', '--limit', '1', '--requests', '30', '--threads', '1', '--out', out];
  const ended = await experiment(...args);
  assert.equal(ended.code, 0, ended.stderr);
  const { tables, items, headlines, curves } = await metrics(out);
  const { count } = items ?? assert.fail('no items');
  const passes = Math.ceil(30 / count);
  const table = tables?.[0];
  assert.deepEqual(
    table?.rows.map(([name]) => name),
    Array.from({ length: passes }, (_, at) => `part ${at + 1} of ${passes}`),
  );
  assert.match(table?.caption ?? '', new RegExp(`^${passes * count} requests under eta`));
  assert.ok(
    headlines?.some((line) => /^Second half of the run over the first: .*\d/.test(line)),
    headlines?.join('\n'),
  );
  assert.equal(curves?.[0]?.series[0]?.points.length, passes);
  const held = async () => (await metrics(out)).notes?.some((note) => note.startsWith('The process held'));
  assert.equal(await held(), true);
  const again = await experiment(...args, '--json');
  assert.deepEqual(JSON.parse(again.stdout), table);
  assert.equal(await held(), false, 'what a process holds that answers nothing');
});

test('policies: each under what it differs in; one that lacks its low threshold is left out by name', async () => {
  const out = join(folder, 'policies');
  const ended = await experiment('policies', '--limit', '1', '--threads', '1', '--out', out);
  assert.equal(ended.code, 0, ended.stderr);
  const { methods, notes = [] } = await metrics(out);
  assert.deepEqual(methods, ['vanilla', 'paper', 'standard']);
  assert.match(notes.join('\n'), /^The arm balanced was left out: its gate lowAnswerOrBoth needs a low threshold/m);
});

for (const [name, ...args] of [
  ['overhead', '--counts', '1'],
  ['robustness', '--change', 'blur'],
] as const) {
  test(`${name} decodes no picture beyond --max-pixels`, async () => {
    const out = join(folder, `${name}-large`);
    const ended = await experiment(name, ...args, '--limit', '1', '--max-pixels', '100', '--out', out);
    const message = /Expected at most 100 in all: shrink it first\. Or raise --max-pixels\./;
    assertRefused(ended, { exitCode: 1, code: 'ERR_IMAGE_TOO_LARGE', message });
  });
}

test('a folder of another experiment is refused', async () => {
  const out = join(folder, 'ablation');
  const ended = await experiment('deep', '--limit', '1', '--threads', '1', '--out', out);
  assert.equal(ended.code, 2, ended.stderr);
  assert.match(ended.stderr, /experiment.*\(ERR_RESULTS_DIFFER\)/);
});

test('robustness: changed requests are kept, asked about, and counted', async () => {
  const out = join(folder, 'robustness');
  const attacks = await attacksOnDrawn();
  const changes = ['--change', 'grey,hurry,escalation,search,wrapped', '--queries', '6', '--attacks', attacks];
  const args = ['robustness', '--limit', '1', '--threads', '1', ...changes, '--low-reward', '-0.025', '--out', out];
  const ended = await experiment(...args);
  assert.equal(ended.code, 0, ended.stderr);
  for (const row of [
    'unchanged',
    'grey 0.5',
    'grey 1',
    'hurry 3',
    'escalation 1',
    'made 8',
    'made \\+ hurry 8',
    'search 32',
  ])
    assert.match(ended.stdout, new RegExp(`\\n\\| ${row} +\\| `), row);
  assert.match(ended.stdout, /\| +held, balanced +\|/);
  const pictures = await readdir(join(out, 'pictures'));
  // a drawn and a typographic one; two strengths of grey, three of the search; and the picture that was changed elsewhere
  assert.equal(pictures.filter((name) => name.endsWith('.png')).length, 2 * 5 + 1);
  const data = await metrics(out);
  assert.deepEqual(
    data.curves?.map(({ title }) => title),
    [
      ...['grey', 'hurry', 'escalation', 'made', 'made + hurry'].map((name) => `Change: ${name}`),
      'Search for a lower CLIP score',
    ],
  );
  assert.deepEqual(
    data.tables?.slice(0, 3).map(({ title }) => title),
    ['Robustness', 'Answers wrapped in refusals', 'Harmless requests'],
  );
  assert.ok(
    data.notes?.some((note) =>
      note.startsWith('Of the 1 pictures of --attacks, 1 were made of pictures of the 2 requests'),
    ),
    data.notes?.join('\n'),
  );
  const wrapped = data.tables?.[1]?.rows.map(([name, accepted]) => [name, value(accepted ?? null)]);
  assert.deepEqual(wrapped, [
    ...['as they are', 'a warning behind', 'a refusal before', 'both'].map((name) => [name, 0]),
    ['control: the refusal and the warning alone', 1],
  ]);
  assert.match(data.notes?.join('\n') ?? '', /made against another CLIP than the one that judges here/);
  const answers = await readFile(join(out, 'answers.jsonl'), 'utf8');
  const again = await experiment(...args, '--json');
  assert.deepEqual(JSON.parse(again.stdout), data.tables?.[0]);
  assert.equal(await readFile(join(out, 'answers.jsonl'), 'utf8'), answers, 'something was asked again');
  // What was found otherwise is not taken for what this run would find.
  const other = await experiment(...args.map((arg) => (arg === '6' ? '7' : arg)));
  assertRefused(other, { exitCode: 2, code: 'ERR_RESULTS_DIFFER', message: /search-8/ });
  await writeFile(
    join(attacks, 'one.png'),
    await readFile(join(packageRoot, 'models/miniature/pictures/clean-02.png')),
  );
  assertRefused(await experiment(...args), { exitCode: 2, code: 'ERR_RESULTS_DIFFER', message: /made-8/ });
  assert.ok(
    data.notes?.some((note) => note.startsWith('Search with changes of at most 16 of 255')),
    'no note of the search',
  );
});

/** A folder as a program of others writes it: one harmful picture of the sample, as it is. */
async function attacksOnDrawn(): Promise<string> {
  const set = join(packageRoot, 'models/miniature');
  const { items } = JSON.parse(await readFile(join(set, 'items.json'), 'utf8')) as {
    readonly items: readonly { readonly set: string; readonly kind: string; readonly picture: string }[];
  };
  const drawn = items.find(({ set: name, kind }) => name === 'harm' && kind === 'drawn') ?? assert.fail('no picture');
  const bytes = await readFile(join(set, drawn.picture));
  const made = join(folder, 'attacks');
  await mkdir(made);
  await writeFile(join(made, 'one.png'), bytes);
  const of = createHash('sha256').update(bytes).digest('hex');
  const pictures = [{ change: 'made', unit: 'of 255', strength: 8, of, picture: 'one.png' }];
  const facts = { format: 'eta-vlm/attacks', formatVersion: 1, clip: '0'.repeat(64), pictures };
  await writeFile(join(made, 'attacks.json'), JSON.stringify(facts));
  return made;
}

test('overhead: a row for each path of each model, a point for each N', async () => {
  const out = join(folder, 'overhead');
  const other = ['language-model', 'projector']
    .map((name) => join(packageRoot, `models/miniature/${name}.gguf`))
    .join(',');
  const ended = await experiment(
    ...['overhead', '--limit', '1', '--threads', '1', '--counts', '1,3', '--other-model', other, '--out', out],
  );
  assert.equal(ended.code, 0, ended.stderr);
  const data = await metrics(out);
  const paths = ['vanilla', 'picture looks safe', 'answer looks safe', 'shallow', 'aligned, N = 1', 'aligned, N = 3'];
  assert.deepEqual(
    data.tables?.[0]?.rows.map(([name]) => name),
    ['miniature', 'language-model.gguf'].flatMap((model) => paths.map((path) => `${model}: ${path}`)),
  );
  const series = data.curves?.[0]?.series ?? [];
  assert.deepEqual(
    series.map(({ name, points }) => [name, points.map(({ x }) => x)]),
    [
      ['miniature', [1, 3]],
      ['language-model.gguf', [1, 3]],
    ],
  );
  for (const { y } of series.flatMap(({ points }) => points)) assert.ok(y > 1, `${y} times vanilla`);
  const refused = await experiment(
    ...['overhead', '--limit', '1', '--other-model', 'x.gguf', '--out', join(folder, 'y')],
  );
  assert.match(refused.stderr, /--other-model: expected LANGUAGE-MODEL\.gguf,PROJECTOR\.gguf.*"x\.gguf"/);
});
