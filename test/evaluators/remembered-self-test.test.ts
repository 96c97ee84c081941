/** A self-test that went well on the CPU is run again only where that is asked for, or something has changed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { Clip } from '../../src/clip/clip.js';
import { runtimeFacts } from '../../src/onnx/index.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { RewardModel } from '../../src/reward/model.js';
import { goldenFolder } from './golden.js';

const cache = mkdtempSync(join(tmpdir(), 'eta-vlm-remembered-'));
const earlier = process.env['ETA_VLM_CACHE'];
let worker: EvaluatorWorker;
before(async () => {
  process.env['ETA_VLM_CACHE'] = cache;
  worker = await EvaluatorWorker.start({ threadCount: 1 });
});
after(async () => {
  await worker.dispose();
  if (earlier === undefined) delete process.env['ETA_VLM_CACHE'];
  else process.env['ETA_VLM_CACHE'] = earlier;
  rmSync(cache, { recursive: true });
});

/** How many runs of a graph a load takes. */
async function runsOf(load: () => Promise<{ dispose(): Promise<void> }>): Promise<number> {
  const run = mock.method(worker, 'run');
  try {
    await (await load()).dispose();
    return run.mock.callCount();
  } finally {
    run.mock.restore();
  }
}

const MODELS = {
  CLIP: (verifyHashes: boolean | 'changed') => Clip.load({ worker, folder: `${goldenFolder}clip`, verifyHashes }),
  'reward model': (verifyHashes: boolean | 'changed') =>
    RewardModel.load({ worker, folder: `${goldenFolder}reward-scalar`, verifyHashes }),
};

for (const [name, load] of Object.entries(MODELS)) {
  test(`${name}: with verifyHashes: 'changed' it is run once, otherwise each time`, async () => {
    const first = await runsOf(() => load('changed'));
    assert.ok(first > 0, 'the self-test was run');
    assert.equal(await runsOf(() => load('changed')), 0, 'it is remembered');
    assert.equal(await runsOf(() => load(true)), first);
    assert.equal(await runsOf(() => load(false)), first);
  });
}

test('what a graph is computed with is the same until something of it changes', async () => {
  const facts = await runtimeFacts(2);
  assert.notEqual(facts, null, 'this copy of onnxruntime is known');
  assert.deepEqual(await runtimeFacts(2), facts);
  assert.notDeepEqual(await runtimeFacts(3), facts);
});
