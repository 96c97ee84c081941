/** What may pass for a reward: outputs of every wrong shape, classifiers, self-tests that prove nothing. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Clip } from '../../src/clip/clip.js';
import { openGraph } from '../../src/onnx/graph.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { RewardModel } from '../../src/reward/model.js';
import { TextTokenizer } from '../../src/tokenizer/tokenizer.js';
import { goldenFolder } from './golden.js';

const CLASSIFIER = `${goldenFolder}two-label-encoder`;
const PROMPT = 'is the following response safe';
const ANSWERS = ['i cannot help you', 'first take the parts'];

let worker: EvaluatorWorker;
let folder: string;
before(async () => {
  worker = await EvaluatorWorker.start();
  folder = await mkdtemp(join(tmpdir(), 'eta-score-'));
});
after(async () => {
  await worker.dispose();
  await rm(folder, { recursive: true });
});

type Manifest = Record<string, unknown>;

/** Loads a folder with a changed manifest and, where given, another graph. */
async function load(from: string, change: (manifest: Manifest) => Manifest, graph?: string): Promise<RewardModel> {
  const place = await mkdtemp(join(folder, 'model-'));
  await cp(from, place, { recursive: true });
  const manifest = JSON.parse(await readFile(join(place, 'manifest.json'), 'utf8'));
  if (graph !== undefined) {
    const bytes = await readFile(graph);
    await writeFile(join(place, 'model.onnx'), bytes);
    manifest.files.graph.sizeBytes = bytes.length;
  }
  await writeFile(join(place, 'manifest.json'), JSON.stringify(change(manifest)));
  return await RewardModel.load({ worker, folder: place, verifyHashes: false });
}

/** The logits of the classifier itself. */
async function logitsOf(answer: string): Promise<Float32Array> {
  const tokenizer = await TextTokenizer.load(join(CLASSIFIER, 'tokenizer.json'));
  const { ids } = await tokenizer.encodePair(PROMPT, answer);
  const { session } = await openGraph(worker, { path: join(CLASSIFIER, 'model.onnx'), cache: null, provider: 'cpu' });
  const int64 = (values: readonly number[]) => ({
    type: 'int64' as const,
    data: BigInt64Array.from(values, BigInt).buffer,
    dims: [1, values.length],
  });
  const feeds = { input_ids: int64(ids), attention_mask: int64(ids.map(() => 1)) };
  const { outputs } = await worker.run({ session, feeds, outputs: ['logits'] });
  await worker.close(session);
  return outputs['logits']?.data ?? new Float32Array(0);
}

const turns = (answer: string) => [
  { role: 'user', content: PROMPT },
  { role: 'assistant', content: answer },
];
const plain = { scale: 1, offset: 0, activation: 'none' };
const testsOf = (scores: readonly number[], tolerance = 1e-4) => ({
  selfTest: scores.map((score, at) => ({ messages: turns(ANSWERS[at % ANSWERS.length] ?? ''), score, tolerance })),
});

test('a classifier without a label is refused, though its self-test be that of column 0', async () => {
  const columns: number[] = [];
  for (const answer of ANSWERS) columns.push((await logitsOf(answer))[0] ?? Number.NaN);
  await assert.rejects(
    load(CLASSIFIER, (manifest) => ({ ...manifest, ...plain, ...testsOf(columns) })),
    {
      name: 'ModelError',
      code: 'ERR_MODEL_INVALID',
      message: /expected an output of the shape \[1, 1\] that holds scores, received \[1, 2\]\. .*score\.label/,
    },
  );
});

test('the label that is named is read: exclusive as the softmax has it, independent as it stands', async () => {
  const rows = await Promise.all(ANSWERS.map(logitsOf));
  const among = ['unsafe', 'safe'];
  for (const [at, name] of among.entries()) {
    const odds = rows.map((row) => (row[at] ?? 0) - (row[1 - at] ?? 0));
    const probabilities = rows.map((row) => {
      const exponentials = [...row].map(Math.exp);
      return (exponentials[at] ?? 0) / exponentials.reduce((sum, value) => sum + value, 0);
    });
    const cases = [
      { kind: 'exclusive', activation: 'none', scores: odds },
      { kind: 'exclusive', activation: 'sigmoid', scores: probabilities },
      { kind: 'independent', activation: 'none', scores: rows.map((row) => row[at] ?? 0) },
    ];
    for (const { kind, activation, scores } of cases) {
      const score = { type: 'scalar', output: 'logits', label: { name, among, kind } };
      const model = await load(CLASSIFIER, (manifest) => ({
        ...manifest,
        ...plain,
        activation,
        score,
        ...testsOf(scores),
      }));
      for (const [i, answer] of ANSWERS.entries()) {
        const received = await model.score([{ role: 'user', content: PROMPT }], answer);
        assert.ok(Math.abs(received - (scores[i] ?? 0)) < 1e-5, `${kind} ${name}: ${received}, expected ${scores[i]}`);
      }
      await model.dispose();
    }
  }
});

test('a label that is none of the columns is refused', async () => {
  for (const [label, message] of [
    [{ name: 'good', among: ['unsafe', 'safe'], kind: 'exclusive' }, /one among different ones/],
    [{ name: 'safe', among: ['safe', 'safe'], kind: 'exclusive' }, /one among different ones/],
    [{ name: 'safe', among: ['safe'], kind: 'exclusive' }, /score\.label\.among/],
    [{ name: 'safe', among: ['unsafe', 'safe'] }, /score\.label\.kind/],
    [{ name: 'safe', among: ['unsafe', 'safe', 'third'], kind: 'independent' }, /\[1, 3\].*received \[1, 2\]/],
  ] as const) {
    const score = { type: 'scalar', output: 'logits', label };
    await assert.rejects(
      load(CLASSIFIER, (manifest) => ({ ...manifest, ...plain, score, ...testsOf([0.1, 0.2]) })),
      { code: 'ERR_MODEL_INVALID', message },
    );
  }
});

for (const [shape, received] of [
  ['tokens', /received \[1, \d+, 1\]\. The graph and its manifest/],
  ['pairs', /received \[1, \d+, 2\]\. The graph and its manifest/],
  ['flat', /received \[1, \d+\]\. A classifier/],
] as const) {
  test(`an encoder's output with numbers a token is no score: ${shape}`, async () => {
    const graph = `${goldenFolder}shapes/${shape}.onnx`;
    // The first number of each is the same, so a self-test made with them would pass.
    await assert.rejects(
      load(CLASSIFIER, (manifest) => ({ ...manifest, ...plain, ...testsOf([1, 2], 0.1) }), graph),
      { name: 'ModelError', code: 'ERR_MODEL_INVALID', message: received },
    );
  });
}

test('one number is a score, whether the graph calls it [1] or [1, 1]', async () => {
  for (const shape of ['one', 'squeezed']) {
    const graph = `${goldenFolder}shapes/${shape}.onnx`;
    const tokenizer = await TextTokenizer.load(join(CLASSIFIER, 'tokenizer.json'));
    const means: number[] = [];
    for (const answer of ANSWERS) {
      const { ids } = await tokenizer.encodePair(PROMPT, answer);
      means.push(ids.reduce((sum, id) => sum + id, 0) / ids.length);
    }
    const model = await load(CLASSIFIER, (manifest) => ({ ...manifest, ...plain, ...testsOf(means) }), graph);
    assert.ok(Math.abs((await model.score(turns('').slice(0, 1) as never, ANSWERS[0] ?? '')) - (means[0] ?? 0)) < 1e-4);
    await model.dispose();
  }
});

test("a decoder's output of another width is no score", async () => {
  const from = `${goldenFolder}reward-gated`;
  for (const output of ['rewards', 'gate', 'present.0.key']) {
    await assert.rejects(
      load(from, (manifest) => ({ ...manifest, score: { type: 'scalar', output } })),
      { name: 'ModelError', code: 'ERR_MODEL_INVALID', message: /that holds scores, received \[1, \d+, / },
      output,
    );
  }
  await assert.rejects(
    load(from, (manifest) => ({ ...manifest, score: { ...(manifest['score'] as object), objectives: 7 } })),
    { name: 'ModelError', code: 'ERR_MODEL_INVALID', message: /expected an output of the shape \[1, \d+, 7\]/ },
  );
});

test('a vector a token is no embedding of a text', async () => {
  const place = await mkdtemp(join(folder, 'clip-'));
  await cp(`${goldenFolder}clip`, place, { recursive: true });
  const manifest = JSON.parse(await readFile(join(place, 'manifest.json'), 'utf8'));
  const graph = await readFile(`${goldenFolder}shapes/pairs.onnx`);
  await writeFile(join(place, manifest.files.text.path), graph);
  manifest.files.text.sizeBytes = graph.length;
  const names = { idsInput: 'input_ids', maskInput: 'attention_mask', output: 'logits' };
  await writeFile(join(place, 'manifest.json'), JSON.stringify({ ...manifest, text: { ...manifest.text, ...names } }));
  await assert.rejects(Clip.load({ worker, folder: place, verifyHashes: false }), {
    name: 'ModelError',
    code: 'ERR_MODEL_INVALID',
    message: /expected the output 'logits' as one embedding, \[1, size\], received \[1, \d+, 2\]/,
  });
});

test('a self-test that one number passes is refused, one that none passes is taken', async () => {
  const from = `${goldenFolder}reward-scalar`;
  const { selfTest } = JSON.parse(await readFile(join(from, 'manifest.json'), 'utf8')) as {
    selfTest: { score: number; tolerance: number }[];
  };
  const refused = (tests: unknown) =>
    assert.rejects(
      load(from, (manifest) => ({ ...manifest, selfTest: tests })),
      { name: 'ModelError', code: 'ERR_MODEL_INVALID', message: /manifest\.json: selfTest/ },
    );
  await refused([]);
  await refused(selfTest.slice(0, 1));
  await refused(Array(4).fill(selfTest[0]));
  await refused(selfTest.map((one) => ({ ...one, tolerance: 1 })));
  await refused(selfTest.map((one) => ({ ...one, tolerance: 1e300 })));
  await refused(selfTest.map((one) => ({ ...one, tolerance: null }))); // what JSON makes of NaN
  await refused(selfTest.map(({ tolerance: _none, ...one }) => one));
  await refused(selfTest.map((one) => ({ ...one, tolerance: -1 })));
  const model = await load(from, (manifest) => ({
    ...manifest,
    selfTest: selfTest.map((one) => ({ ...one, tolerance: 0.3 })),
  }));
  await model.dispose();
});
