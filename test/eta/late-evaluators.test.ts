/** What a method does not ask is not loaded: it comes when a request first asks it, once, as if it had been there. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Clip } from '../../src/clip/index.js';
import { Guard } from '../../src/decision/index.js';
import type { EtaResult, LoadEtaOptions, LoadProgress, Notice } from '../../src/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { RewardModel } from '../../src/reward/index.js';
import { goldenFile } from '../compatibility/golden.js';
import { formFile, tinyForm } from '../decision/guards.js';
import { CLEAN, FLAGGED_SAFE, loadTiny, QUESTION, tinyModels, UNSAFE } from './tiny.js';

const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-late-'));
after(() => rmSync(scratch, { recursive: true }));

const ALIGNED = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' } as const;

/** One that no onnxruntime-node of this platform has. */
const ABSENT = process.platform === 'win32' ? 'coreml' : 'dml';

/** How often each is loaded while `work` runs. */
async function counting(work: () => Promise<void>): Promise<Record<'worker' | 'clip' | 'reward' | 'guard', number>> {
  const loads = {
    worker: mock.method(EvaluatorWorker, 'begin'),
    clip: mock.method(Clip, 'load'),
    reward: mock.method(RewardModel, 'load'),
    guard: mock.method(Guard, 'load'),
  };
  try {
    await work();
    const count = (of: keyof typeof loads) => loads[of].mock.callCount();
    return { worker: count('worker'), clip: count('clip'), reward: count('reward'), guard: count('guard') };
  } finally {
    for (const load of Object.values(loads)) load.mock.restore();
  }
}

const candidatesOf = ({ trace }: EtaResult) => trace.rounds.map(({ candidates }) => candidates);

const NONE = { worker: 0, clip: 0, reward: 0, guard: 0 };

/** Copies of the evaluators that a test may break. */
function ownEvaluators(name: string) {
  const [clip, rewardModel] = [join(scratch, name, 'clip'), join(scratch, name, 'reward')];
  cpSync(tinyModels.clip, clip, { recursive: true });
  cpSync(tinyModels.rewardModel, rewardModel, { recursive: true });
  return { ...tinyModels, clip, rewardModel };
}

test('vanilla loads neither CLIP nor reward model, nor their thread', async () => {
  const seen = new Set<LoadProgress['part']>();
  const onProgress: LoadEtaOptions['onProgress'] = ({ part }) => seen.add(part);
  const loads = await counting(async () => {
    await using eta = await loadTiny({ method: 'vanilla', onProgress });
    assert.deepEqual(eta.facts.evaluatorDevices, { clip: null, rewardModel: null });
    assert.equal((await eta.respond(QUESTION)).verdict.action, 'answered');
  });
  assert.deepEqual([loads, [...seen]], [NONE, ['language-model']]);
  const control = await counting(async () => await (await loadTiny()).dispose());
  assert.deepEqual(control, { worker: 1, clip: 1, reward: 1, guard: 0 });
});

test('asked by another method, they come once for all who ask at once, and answer the same', async () => {
  await using early = await loadTiny();
  const alone = await early.respond({ ...ALIGNED, exact: true });
  const loads = await counting(async () => {
    await using eta = await loadTiny({ method: 'vanilla' });
    const asked = { ...ALIGNED, method: 'eta' } as const;
    const answers = await Promise.all([eta.respond(asked), eta.respond(QUESTION), eta.respond(asked)]);
    assert.deepEqual(
      answers.map(({ verdict }) => verdict.action),
      ['aligned', 'answered', 'aligned'],
    );
    assert.deepEqual(eta.facts.evaluatorDevices, { clip: 'cpu', rewardModel: 'cpu' });
    // Side by side, the rounding of a step of several rows decides a token now and then.
    assert.deepEqual(candidatesOf(await eta.respond({ ...asked, exact: true })), candidatesOf(alone));
    assert.equal(await eta.unload(), true);
    assert.deepEqual(eta.facts.evaluatorDevices, { clip: 'cpu', rewardModel: 'cpu' }, 'as they were loaded last');
    await eta.respond(QUESTION);
  });
  assert.deepEqual(loads, { worker: 1, clip: 1, reward: 1, guard: 0 }, 'loaded again, it asks for none');
});

test('a picture that looks safe asks no reward model', async () => {
  const loads = await counting(async () => {
    await using eta = await loadTiny({ method: 'vanilla' });
    await eta.respond({ ...QUESTION, method: 'eta', thresholds: CLEAN });
    assert.deepEqual(eta.facts.evaluatorDevices, { clip: 'cpu', rewardModel: null });
  });
  assert.deepEqual(loads, { ...NONE, worker: 1, clip: 1 });
});

test('post loads CLIP when a search compares with the picture, and finds what it would have found', async () => {
  await using early = await loadTiny({ reuse: false });
  const searched = await early.respond({ ...ALIGNED, method: 'post' });
  assert.notEqual(searched.trace.rounds[1]?.candidates[0]?.clipScore ?? null, null, 'the first round asks no CLIP');
  let before: number | undefined;
  const loads = await counting(async () => {
    await using eta = await loadTiny({ method: 'post', reuse: false });
    const count = await counting(async () => {
      await eta.respond({ ...QUESTION, thresholds: FLAGGED_SAFE });
    });
    before = count.clip;
    assert.deepEqual(candidatesOf(await eta.respond(ALIGNED)), candidatesOf(searched));
  });
  assert.deepEqual([before, loads.reward], [0, 1]);
});

test('a guard is loaded by the first method that judges', async () => {
  const guard = goldenFile('qwen3-vl', 'model.gguf');
  const models = { languageModel: tinyModels.languageModel, projector: tinyModels.projector, clip: tinyModels.clip };
  const asked = { ...QUESTION, thresholds: { unsafeClipScore: -1, safeDecision: -1e6 }, method: 'eta' } as const;
  const loads = await counting(async () => {
    await using eta = await loadTiny({ models, method: 'vanilla', decision: { form: formFile(tinyForm()), guard } });
    const none = await counting(async () => {
      await eta.respond(QUESTION);
    });
    assert.deepEqual(none, NONE);
    const clean = await counting(async () => {
      await eta.respond({ ...asked, thresholds: { ...asked.thresholds, unsafeClipScore: 1 } });
    });
    assert.deepEqual([clean.clip, clean.guard], [1, 0], 'a picture that looks safe settles it: nobody asks the guard');
    assert.equal((await eta.respond(asked)).verdict.answer?.evaluator, 'decision');
  });
  assert.equal(loads.guard, 1);
});

test('what goes wrong is the error of who asked; the next tries again', async () => {
  const models = ownEvaluators('gone');
  await using eta = await loadTiny({ models, method: 'vanilla' });
  const asked = { ...ALIGNED, method: 'eta' } as const;
  const graph = join(models.clip, 'vision_model.onnx');
  renameSync(graph, `${graph}.away`);
  const [both, plain] = await Promise.all([
    Promise.allSettled([eta.respond(asked), eta.respond(asked)]),
    eta.respond(QUESTION),
  ]);
  for (const one of both) assert.equal(one.status === 'rejected' && one.reason.code, 'ERR_MODEL_NOT_FOUND');
  assert.equal(plain.verdict.action, 'answered', 'who asks none is served');
  renameSync(`${graph}.away`, graph);
  assert.ok((await eta.respond(asked)).trace.rounds.length > 0);
});

test('thresholds belong to the files of the beginning: others are refused when they come late', async () => {
  const models = ownEvaluators('changed');
  await using eta = await loadTiny({ models, method: 'vanilla' });
  const path = join(models.clip, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...manifest, unsafeClipScore: 0.9, name: 'another' }));
  await assert.rejects(eta.respond({ ...ALIGNED, method: 'eta' }), { code: 'ERR_MODEL_MISMATCH' });
});

test('a signal is heard while they come, and they come all the same; dispose ends it', async () => {
  const asked = { ...ALIGNED, method: 'eta' } as const;
  const eta = await loadTiny({ method: 'vanilla' });
  const controller = new AbortController();
  const waiting = eta.respond({ ...asked, signal: controller.signal });
  await setTimeout(5);
  controller.abort();
  await assert.rejects(waiting, { code: 'ERR_ABORTED' });
  assert.ok((await eta.respond(asked)).trace.rounds.length > 0);
  await eta.dispose();
  for (const waitMs of [0, 5, 40]) {
    const other = await loadTiny({ method: 'vanilla' });
    const refused = assert.rejects(other.respond(asked), { code: 'ERR_DISPOSED' });
    await setTimeout(waitMs);
    await other.dispose();
    await refused;
  }
});

test('a device that is not there is told of each when it comes; what onNotice throws fails the request', async () => {
  const notices: Notice[] = [];
  let refuses = false;
  const onNotice = (notice: Notice) => {
    if (refuses) throw new RangeError('a device, or nothing');
    notices.push(notice);
  };
  await using eta = await loadTiny({ method: 'vanilla', evaluatorDevice: ABSENT, onNotice });
  await eta.respond(QUESTION);
  assert.equal(notices.length, 0);
  refuses = true;
  await assert.rejects(eta.respond({ ...ALIGNED, method: 'eta' }), RangeError);
  refuses = false;
  await eta.respond({ ...ALIGNED, method: 'eta' });
  assert.deepEqual(
    notices.map(({ message }) => message.replace(/ on the processor, .*/, '')),
    ['CLIP runs', 'The reward model runs'],
  );
});

test('a callback that throws fails the request that the part comes for', async () => {
  let refuses = true;
  const onProgress: LoadEtaOptions['onProgress'] = ({ part, fraction }) => {
    if (refuses && part === 'reward-model' && fraction === 1) throw new RangeError(part);
  };
  await using eta = await loadTiny({ method: 'vanilla', onProgress });
  const asked = { ...ALIGNED, method: 'eta' } as const;
  await assert.rejects(eta.respond(asked), { name: 'RangeError', message: 'reward-model' });
  refuses = false;
  assert.ok((await eta.respond(asked)).trace.rounds.length > 0);
});
