/** Weights stored as integers, and in a file of their own. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { RewardModel } from '../../src/reward/model.js';
import { formats, formatsFolder } from './formats.js';

let worker: EvaluatorWorker;
before(async () => {
  worker = await EvaluatorWorker.start({ threadCount: 1 });
});
after(() => worker.dispose());

for (const [name, weights] of [
  ['skywork-qwen3', 'int8'],
  ['armorm', 'int4'],
  ['deberta', 'int4'],
] as const) {
  test(`${name} as ${weights}: computes what the original class does on the rounded weights, and says what the rounding costs`, async () => {
    // The self-test, which load runs, is the original's.
    const model = await RewardModel.load({ worker, folder: `${formatsFolder}${name}-${weights}` });
    const results = await model.selfTest();
    assert.ok(Math.max(...results.map(({ difference }) => difference)) < 1e-3, JSON.stringify(results));
    const { precision } = model.manifest;
    assert.equal(precision?.weights, weights);
    const exact = await RewardModel.load({ worker, folder: formatsFolder + name });
    const moved = (await exact.selfTest()).map(({ received }, i) => Math.abs(received - (results[i]?.received ?? 0)));
    assert.ok(Math.abs(Math.max(...moved) - (precision?.largestDifference ?? 0)) < 1e-3, `${moved}`);
    assert.ok(Math.max(...moved) > 1e-3, 'weights that round to nothing else would not show anything');
    await Promise.all([model.dispose(), exact.dispose()]);
  });

  test(`${name} as ${weights}: candidates together score as alone`, async () => {
    const { prompt, continuations } = formats.rewards[name] ?? { prompt: '', continuations: [] };
    const model = await RewardModel.load({ worker, folder: `${formatsFolder}${name}-${weights}` });
    const turns = [{ role: 'user' as const, content: prompt }];
    const together = await model.open(turns).score(continuations);
    for (const [at, continuation] of continuations.entries()) {
      const alone = await model.score(turns, continuation);
      assert.ok(Math.abs(alone - (together[at] ?? Number.NaN)) < 1e-4, `${at}: ${alone}, together ${together[at]}`);
    }
    await model.dispose();
  });
}

/** Loads a copy of the model whose weights lie beside the graph, after `change` has touched them. */
async function loadChanged(change: (path: string) => Promise<void>, verifyHashes = true): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'eta-external-'));
  try {
    await cp(`${formatsFolder}skywork-qwen3-int8`, folder, { recursive: true });
    await change(join(folder, 'model.onnx.data'));
    await (await RewardModel.load({ worker, folder, verifyHashes })).dispose();
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('external data loads from any folder', () => loadChanged(async () => undefined));

test('external data that is missing, short or changed is named', async () => {
  await assert.rejects(loadChanged(rm), { code: 'ERR_MODEL_NOT_FOUND', message: /model\.onnx\.data/ });
  await assert.rejects(
    loadChanged((path) => truncate(path, 1000)),
    { code: 'ERR_MODEL_INVALID', message: /model\.onnx\.data: expected 67584 bytes, received 1000/ },
  );
  const change = async (path: string) => writeFile(path, (await readFile(path)).fill(0x7f, 40_000, 44_000));
  await assert.rejects(loadChanged(change), { code: 'ERR_MODEL_INVALID', message: /model\.onnx\.data: .*SHA-256/ });
  await assert.rejects(loadChanged(change, false), { code: 'ERR_SELF_TEST', message: /off by [\d.]+/ });
});
