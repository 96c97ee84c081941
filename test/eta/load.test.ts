import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { AbortError, type LoadEtaOptions, type LoadProgress, loadEta } from '../../src/index.js';
import { readGguf } from '../../src/models/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { hollowModel } from '../engine/hollow-model.js';
import { loadTiny, pictures, tinyModels } from './tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-load-'));
after(() => rmSync(folder, { recursive: true }));

const { languageModel, projector, clip, rewardModel } = tinyModels;

test('what it was loaded as can be read', async () => {
  await using eta = await loadTiny({ policy: 'paper', candidateCount: 2, thresholds: { safeReward: 0.5 } });
  const { policy, thresholds, thresholdSources, calibratedPrompts, models } = eta.facts;
  assert.equal(policy.name, 'paper');
  assert.equal(policy.candidateCount, 2);
  assert.equal(policy.sentenceEnd, 'token');
  assert.deepEqual(thresholds, { unsafeClipScore: 0.16, safeReward: 0.5 });
  assert.deepEqual(thresholdSources, { unsafeClipScore: 'manifest', safeReward: 'option' });
  assert.deepEqual(calibratedPrompts, { unsafeClipScore: null, safeReward: null });
  assert.equal(models.clip, clip);
});

test("under the paper's policy a LLaVA-1.5 model gets LLaVA's conversation, unless the file's is asked for", async () => {
  await using tiny = await loadTiny({ policy: 'paper' });
  assert.equal(tiny.facts.conversationForm, 'file', 'it is no LLaVA-1.5');
  const width = (await readGguf(languageModel)).values.get('llama.embedding_length');
  const shape = { width: Number(width), layerCount: 1, headCount: 2, kvHeadCount: 2, feedForward: 8 };
  const chatTemplate = '{% for message in messages %}{{ message.content }}{% endfor %}';
  const vicuna = hollowModel({ vocabulary: 'llama-spm', chatTemplate, shape });
  const formOf = async (options: Pick<LoadEtaOptions, 'policy' | 'conversationForm'>) => {
    const models = { languageModel: vicuna, projector };
    await using eta = await loadEta({ ...options, models, method: 'vanilla', contextSize: 512, gpuLayerCount: 0 });
    return eta.facts.conversationForm;
  };
  assert.equal(await formOf({ policy: 'paper' }), 'llava_v1');
  assert.equal(await formOf({ policy: 'paper', conversationForm: 'file' }), 'file');
  assert.equal(await formOf({}), 'file');
  await assert.rejects(formOf({ conversationForm: 'vicuna' as never }), {
    code: 'ERR_INVALID_OPTION',
    message: /conversationForm: expected file or llava_v1/,
  });
});

test('a method that judges wants who judges', async () => {
  await assert.rejects(loadTiny({ models: { languageModel, projector, clip } }), {
    name: 'ModelError',
    code: 'ERR_MODEL_NOT_FOUND',
    message:
      "models: expected a reward model for method 'eta', received none. " +
      "Name its folder in models.rewardModel. Or load with method: 'vanilla', for answers that nobody evaluates.",
  });
  await assert.rejects(
    loadTiny({ models: { languageModel, projector, rewardModel } }),
    /expected a CLIP for method 'eta'/,
  );
});

test('vanilla alone needs neither, and says so when asked for more', async () => {
  await using eta = await loadTiny({ models: { languageModel, projector }, method: 'vanilla' });
  const { verdict } = await eta.respond({ prompt: 'What?', image: pictures[0] });
  assert.equal(verdict.action, 'answered');
  await assert.rejects(eta.respond({ prompt: 'What?', method: 'eta' }), {
    name: 'UsageError',
    code: 'ERR_INVALID_REQUEST',
    message:
      "request: expected method 'vanilla', because no reward model was loaded, received 'eta'. " +
      "Load with models.rewardModel. Or ask with method: 'vanilla'.",
  });
});

test('a model without projector takes text, gated by the reward', async () => {
  await using eta = await loadTiny({ models: { languageModel, rewardModel } });
  assert.equal((await eta.respond({ prompt: 'What?', thresholds: { safeReward: -1e6 } })).verdict.action, 'answered');
  await assert.rejects(eta.respond({ prompt: 'What?', image: pictures[0], method: 'vanilla' }), {
    code: 'ERR_NO_PROJECTOR',
  });
});

test('a request that needs who was not loaded is refused before anything is done for it', async () => {
  await using eta = await loadTiny({ models: { languageModel, projector, rewardModel }, method: 'vanilla' });
  const { stepCount, imageCount } = await eta.statistics();
  for (const images of [[pictures[0]], [...pictures]]) {
    const turns = [{ role: 'user' as const, text: 'What?', images }];
    for (const method of ['eta', 'pre'] as const) {
      const refused = { code: 'ERR_INVALID_REQUEST', message: /expected method 'vanilla', because no CLIP was loaded/ };
      await assert.rejects(eta.respond({ turns, method }), refused);
      assert.throws(() => eta.stream({ turns, method }), refused);
    }
  }
  const after = await eta.statistics();
  assert.deepEqual([after.stepCount, after.imageCount], [stepCount, imageCount]);
  const { verdict } = await eta.respond({ prompt: 'What?', method: 'eta', thresholds: { safeReward: -1e6 } });
  assert.equal(verdict.action, 'answered', 'without a picture nobody misses CLIP');
});

test('a part that does not load takes the others down with it', async () => {
  const broken = join(folder, 'broken.gguf');
  writeFileSync(broken, 'GGUF but no more');
  await assert.rejects(loadTiny({ models: { ...tinyModels, languageModel: broken } }), { code: 'ERR_MODEL_INVALID' });
  await assert.rejects(loadTiny({ models: { ...tinyModels, clip: folder } }), { code: 'ERR_MODEL_NOT_FOUND' });
  await assert.rejects(loadTiny({ models: { ...tinyModels, rewardModel: clip } }), { code: 'ERR_MODEL_INVALID' });
  const other = languageModel.replace('tiny.gguf', 'tiny-other.gguf');
  await assert.rejects(loadTiny({ models: { ...tinyModels, languageModel: other } }), { code: 'ERR_MODEL_MISMATCH' });
  await assert.rejects(loadTiny({ models: { ...tinyModels, languageModel: projector } }), { name: 'ModelError' });
  await assert.rejects(loadTiny({ models: { ...tinyModels, projector: languageModel } }), { name: 'ModelError' });
  await assert.rejects(loadEta({ models: 'miniatur' }), { code: 'ERR_MODEL_NOT_FOUND' });
});

test('loads that fail leave no threads behind', { skip: process.platform !== 'linux' }, async () => {
  const threadCount = () => Number(/^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const fail = () => assert.rejects(loadTiny({ models: { ...tinyModels, rewardModel: clip } }));
  await fail();
  const before = threadCount();
  const loadCount = 4;
  for (let i = 0; i < loadCount; i++) await fail();
  // One left behind by each load would be four; a thread of Node's own may come or be about to go meanwhile.
  assert.ok(threadCount() < before + loadCount, `${before} threads, then ${threadCount()}`);
});

test('a load that is aborted has let go of all by the time that it is told', {
  skip: process.platform !== 'linux',
}, async () => {
  const parts = () => readFileSync('/proc/self/maps', 'utf8').match(/(tiny|tiny-projector)\.gguf$/gm)?.length ?? 0;
  let mapped = 0;
  for (const part of ['language-model', 'clip', 'reward-model'] as const) {
    const controller = new AbortController();
    const loading = loadTiny({
      signal: controller.signal,
      onProgress: (at) => {
        mapped = Math.max(mapped, parts());
        if (at.part === part) controller.abort();
      },
    });
    await assert.rejects(loading, AbortError);
    assert.equal(parts(), 0, `aborted during ${part}`);
  }
  assert.ok(mapped > 0, 'nothing was loaded before');
});

test('loading can be aborted, and tells how far it is', async () => {
  await assert.rejects(loadTiny({ signal: AbortSignal.abort() }), AbortError);
  const controller = new AbortController();
  await assert.rejects(loadTiny({ signal: controller.signal, onProgress: () => controller.abort() }), AbortError);
  const progress: LoadProgress[] = [];
  const eta = await loadTiny({ onProgress: (at) => progress.push(at) });
  await eta.dispose();
  for (const part of ['language-model', 'clip', 'reward-model'] as const) {
    assert.equal(progress.filter((at) => at.part === part).at(-1)?.fraction, 1, part);
  }
});

test('a callback that throws fails the load with what it threw', async () => {
  for (const part of ['language-model', 'clip'] as const) {
    await assert.rejects(
      loadTiny({
        onProgress: (at) => {
          if (at.part === part) throw new RangeError(part);
        },
      }),
      { name: 'RangeError', message: part },
    );
  }
});

test('of two failures the first is told: what cannot be freed hides nothing', async () => {
  const { dispose } = EvaluatorWorker.prototype;
  const failing = mock.method(EvaluatorWorker.prototype, 'dispose', async function (this: EvaluatorWorker) {
    await dispose.call(this);
    throw new Error('it cannot be freed');
  });
  const wrong = join(folder, 'wrong-clip');
  cpSync(clip, wrong, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(wrong, 'manifest.json'), 'utf8'));
  manifest.selfTest[0].cosine += 0.01;
  writeFileSync(join(wrong, 'manifest.json'), JSON.stringify(manifest));
  try {
    await assert.rejects(loadTiny({ models: { ...tinyModels, clip: wrong } }), { code: 'ERR_SELF_TEST' });
    assert.ok(failing.mock.callCount() > 0);
  } finally {
    failing.mock.restore();
  }
});
