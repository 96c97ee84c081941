/** Reward models of the real architectures, converted by `eta-vlm models convert`, against the original classes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { RewardModel } from '../../src/reward/model.js';
import { formats, formatsFolder } from './formats.js';

const TOLERANCE = 1e-4;
let worker: EvaluatorWorker;
before(async () => {
  worker = await EvaluatorWorker.start({ threadCount: 1 });
});
after(() => worker.dispose());

const load = (name: string) => RewardModel.load({ worker, folder: formatsFolder + name });

for (const [name, { prompt, accepted, continuations, scores }] of Object.entries(formats.rewards)) {
  const turns = [{ role: 'user' as const, content: prompt }];

  test(`${name}: each answer alone scores as in the original class, within ${TOLERANCE}`, async () => {
    const model = await load(name);
    for (const [round, expected] of scores.entries()) {
      const before = accepted.slice(0, round + 1).join('');
      for (const [at, score] of expected.entries()) {
        const received = await model.score(turns, before + continuations[at]);
        assert.ok(Math.abs(received - score) < TOLERANCE, `round ${round}, ${at}: ${received}, expected ${score}`);
      }
    }
    await model.dispose();
  });

  test(`${name}: candidates together, round after round over what was accepted, score the same`, async () => {
    const model = await load(name);
    const session = model.open(turns);
    for (const [round, expected] of scores.entries()) {
      session.accept(accepted[round] ?? '');
      const received = await session.score(continuations);
      received.forEach((value, at) => {
        const score = expected[at] ?? Number.NaN;
        assert.ok(Math.abs(value - score) < TOLERANCE, `round ${round}, ${at}: ${value}, expected ${score}`);
      });
    }
    const { runCount, cachedTokenCount } = session.statistics;
    const answerCount = scores.length * continuations.length;
    if (model.manifest.kind === 'encoder') assert.equal(runCount, answerCount, 'an encoder keeps nothing');
    else assert.ok(runCount <= scores.length + 5 && cachedTokenCount > 2500, `${runCount} runs, ${cachedTokenCount}`);
    session.close();
    const distinct = new Set(scores.flat().map((score) => score.toFixed(4)));
    assert.ok(distinct.size > 0.7 * answerCount, 'scores that do not differ show nothing');
    await model.dispose();
  });
}

test('armorm: the gate is computed once, with the prompt, and no answer moves it', async () => {
  const model = await load('armorm');
  const { score } = model.manifest;
  assert.ok(score.type === 'gated' && score.objectives === 19, 'expected 19 objectives behind a gate');
  const first = model.open([{ role: 'user', content: 'A prompt of its own.' }]);
  await first.score(['a']);
  const second = model.open([{ role: 'user', content: 'A prompt of its own.' }]);
  await second.score(['a']);
  assert.equal(second.statistics.runCount, 1, 'the second session finds the cache and the gate of its prompt');
  await model.dispose();
});

/** The name of a matrix of the last layer, by model. */
const A_MATRIX = {
  armorm: 'model.layers.1.mlp.up_proj.weight',
  'skywork-qwen3': 'model.layers.1.mlp.up_proj.weight',
  deberta: 'model.pooler.dense.weight',
};

/** Loads a copy of a model after `change` has touched its graph; the manifest's hash is made to fit. */
async function loadChanged(name: string, change: (graph: Buffer) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'eta-reward-'));
  try {
    await cp(formatsFolder + name, folder, { recursive: true });
    const graph = await readFile(join(folder, 'model.onnx'));
    change(graph);
    await writeFile(join(folder, 'model.onnx'), graph);
    const path = join(folder, 'manifest.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    manifest.files.graph.sha256 = createHash('sha256').update(graph).digest('hex');
    await writeFile(path, JSON.stringify(manifest));
    await (await RewardModel.load({ worker, folder })).dispose();
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a weight that was changed: the self-test refuses the model and says by how much', async () => {
  for (const [name, matrix] of Object.entries(A_MATRIX)) {
    await assert.rejects(
      loadChanged(name, (graph) => {
        // In a graph the values follow the name.
        const start = graph.lastIndexOf(matrix) + matrix.length + 16;
        for (let i = 0; i < 32; i++) graph.writeFloatLE(1, start + i * 4);
      }),
      { code: 'ERR_SELF_TEST', message: /expected the reward .* received .*: off by [\d.e+-]+\./ },
      name,
    );
  }
});

test('the same copy, unchanged, loads', () => loadChanged('armorm', () => undefined));
