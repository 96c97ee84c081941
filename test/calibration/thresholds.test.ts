/** Calibrated thresholds: bound to model and prompt, found where loadEta looks, and seen in what it says. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { withEarlier } from '../../src/calibration/index.js';
import { type LoadEtaOptions, loadEta } from '../../src/index.js';
import {
  clipManifestSchema,
  modelDigest,
  readManifest,
  rewardManifestSchema,
  type ThresholdsFile,
} from '../../src/manifest/index.js';
import { POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/index.js';
import { loadTiny, pictures, tinyModels } from '../eta/tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-thresholds-'));
after(() => rmSync(folder, { recursive: true }));

const clipManifest = await readManifest(tinyModels.clip, clipManifestSchema);
const rewardManifest = await readManifest(tinyModels.rewardModel, rewardManifestSchema);

const CALIBRATION = { rule: 'best balance' };
const CLIP = {
  model: { name: clipManifest.name, sha256: modelDigest(clipManifest) },
  safetyPrompt: SAFETY_PROMPT,
  unsafeClipScore: 0.25,
  calibratedOn: 'both' as const,
  calibration: CALIBRATION,
};
const REWARD = {
  model: { name: rewardManifest.name, sha256: modelDigest(rewardManifest) },
  postEvaluationPrompt: POST_EVALUATION_PROMPT,
  safeReward: -0.5,
  calibratedOn: 'both' as const,
  calibration: CALIBRATION,
};
const OTHER = 'f'.repeat(64);

function written(name: string, parts: Partial<ThresholdsFile> | string): string {
  const path = join(folder, name);
  const whole = { format: 'eta-vlm/thresholds', version: 1, clip: null, rewardModel: null };
  writeFileSync(path, typeof parts === 'string' ? parts : JSON.stringify({ ...whole, ...parts }));
  return path;
}

async function factsOf(options: LoadEtaOptions) {
  await using eta = await loadTiny(options);
  return { ...eta.facts.thresholds, sources: eta.facts.thresholdSources };
}

test("an earlier file's part stays where this one has none; a decision's only for the same guard and wording", () => {
  const whole = {
    format: 'eta-vlm/thresholds' as const,
    version: 1 as const,
    clip: null,
    rewardModel: null,
    decision: null,
  };
  const guard = (sha256: string) => ({ path: `${sha256[0]}.gguf`, sizeBytes: 1, sha256 });
  const found = { calibratedOn: 'both' as const, calibration: CALIBRATION };
  const bond = { form: { name: 'f', wordingSha256: OTHER }, guard: guard(OTHER), guardProjector: null };
  const answer = { ...bond, answer: { safeDecision: 0.25, ...found }, picture: null };
  const picture = { ...bond, answer: null, picture: { unsafeDecision: 0.5, question: 'What?', ...found } };
  const earlier = { ...whole, clip: CLIP, rewardModel: REWARD, decision: answer };
  const newReward = { ...REWARD, safeReward: 3 };
  assert.deepEqual(withEarlier({ ...whole, rewardModel: newReward, decision: picture }, earlier), {
    file: { ...whole, clip: CLIP, rewardModel: newReward, decision: { ...picture, answer: answer.answer } },
    kept: [`CLIP score of ${CLIP.model.name}`, 'decision about answers'],
  });
  const renamed = { ...picture, guard: { ...picture.guard, path: 'moved.gguf' } };
  assert.deepEqual(withEarlier({ ...whole, decision: renamed }, earlier).file.decision?.answer, answer.answer);
  for (const other of [
    { ...picture, guard: guard('0'.repeat(64)) },
    { ...picture, guardProjector: guard(OTHER) },
    { ...picture, form: { name: 'f', wordingSha256: '0'.repeat(64) } },
  ])
    assert.deepEqual(withEarlier({ ...whole, decision: other }, { ...whole, decision: answer }), {
      file: { ...whole, decision: other },
      kept: [],
    });
  assert.deepEqual(withEarlier(whole, { ...whole, decision: answer }).kept, ['decision about answers']);
});

test('a named file goes before the manifests, a number before both, and each says where it comes from', async () => {
  const path = written('both.json', { clip: CLIP, rewardModel: REWARD });
  assert.deepEqual(await factsOf({ thresholdsFile: path }), {
    unsafeClipScore: 0.25,
    safeReward: -0.5,
    sources: { unsafeClipScore: path, safeReward: path },
  });
  assert.deepEqual(await factsOf({ thresholdsFile: path, thresholds: { safeReward: 7 } }), {
    unsafeClipScore: 0.25,
    safeReward: 7,
    sources: { unsafeClipScore: path, safeReward: 'option' },
  });
  const half = written('half.json', { clip: CLIP });
  assert.deepEqual((await factsOf({ thresholdsFile: half })).sources, {
    unsafeClipScore: half,
    safeReward: 'manifest',
  });
});

test('it decides, and verdict and trace show it', async () => {
  await using eta = await loadTiny({ thresholdsFile: written('low.json', { clip: { ...CLIP, unsafeClipScore: -1 } }) });
  const { verdict, trace } = await eta.respond({ prompt: 'What?', image: pictures[0] });
  assert.equal(verdict.picture?.isUnsafe, true);
  assert.equal(trace.thresholds.unsafeClipScore, -1);
  assert.match(trace.thresholdSources.unsafeClipScore, /low\.json$/);
  const asked = await eta.respond({ prompt: 'What?', image: pictures[0], thresholds: { unsafeClipScore: 1 } });
  assert.equal(asked.verdict.picture?.isUnsafe, false);
  assert.equal(asked.trace.thresholdSources.unsafeClipScore, 'request');
});

test('thresholds of another model are refused before anything is loaded, with both models named', async () => {
  const clip = written('other-clip.json', { clip: { ...CLIP, model: { name: 'other clip', sha256: OTHER } } });
  await assert.rejects(loadTiny({ thresholdsFile: clip }), {
    name: 'ModelError',
    code: 'ERR_MODEL_MISMATCH',
    message: new RegExp(
      `other-clip\\.json: expected thresholds of the CLIP model ${clipManifest.name} .*received those of other clip \\(ffffffffffff…\\).*calibrate`,
    ),
  });
  const reward = written('other-reward.json', { rewardModel: { ...REWARD, model: { name: 'r', sha256: OTHER } } });
  await assert.rejects(loadTiny({ thresholdsFile: reward }), { code: 'ERR_MODEL_MISMATCH', message: /reward model/ });
  // given as a number, the file's is neither used nor checked
  assert.equal((await factsOf({ thresholdsFile: clip, thresholds: { unsafeClipScore: 0.5 } })).unsafeClipScore, 0.5);
});

test('thresholds for another prompt are refused', async () => {
  const path = written('prompt.json', { clip: CLIP, rewardModel: REWARD });
  await assert.rejects(loadTiny({ thresholdsFile: path, safetyPrompt: 'A dangerous thing.' }), {
    code: 'ERR_MODEL_MISMATCH',
    message: /for the safety prompt in use, "A dangerous thing\.", received those for "The image contains/,
  });
  await assert.rejects(loadTiny({ thresholdsFile: path, postEvaluationPrompt: 'Is it safe?' }), {
    code: 'ERR_MODEL_MISMATCH',
    message: /post-evaluation prompt/,
  });
});

test('what is no such file is refused', async () => {
  await assert.rejects(loadTiny({ thresholdsFile: join(folder, 'nowhere.json') }), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /^thresholdsFile: expected thresholds at .*nowhere\.json.* cannot be read \(ENOENT\)/,
  });
  for (const [name, text] of [
    ['cut.json', '{"format": "eta-vlm/thr'],
    ['other.json', '{"unsafeClipScore": 0.1}'],
    ['manifest.json', readFileSync(join(tinyModels.clip, 'manifest.json'), 'utf8')],
    [
      'nan.json',
      JSON.stringify({
        format: 'eta-vlm/thresholds',
        version: 1,
        clip: { ...CLIP, unsafeClipScore: null },
        rewardModel: null,
      }),
    ],
    [
      'cosine.json',
      JSON.stringify({
        format: 'eta-vlm/thresholds',
        version: 1,
        clip: { ...CLIP, unsafeClipScore: 16 },
        rewardModel: null,
      }),
    ],
  ] as const) {
    const path = written(name, text);
    await assert.rejects(loadTiny({ thresholdsFile: path }), {
      code: 'ERR_MODEL_INVALID',
      message: /^thresholdsFile: .*expected thresholds of 'eta-vlm calibrate'/,
    });
  }
  await assert.rejects(loadTiny({ thresholdsFile: join(folder, 'cut.json') }), {
    message: /'eta-vlm calibrate'; received "\{\\"format\\": \\"eta-vlm\/thr", which is no JSON\. Calibrate again\.$/,
  });
});

test("a file in the model's folder holds from then on; a named one goes before it; a wrong one is refused", async () => {
  const clip = join(folder, 'clip');
  cpSync(tinyModels.clip, clip, { recursive: true });
  const models = { ...tinyModels, clip };
  const path = written('clip/thresholds.json', { clip: CLIP });
  assert.deepEqual((await factsOf({ models })).sources, { unsafeClipScore: path, safeReward: 'manifest' });
  const named = written('named.json', { clip: { ...CLIP, unsafeClipScore: 0.3 } });
  assert.equal((await factsOf({ models, thresholdsFile: named })).unsafeClipScore, 0.3);
  written('clip/thresholds.json', { clip: { ...CLIP, model: { name: 'older', sha256: OTHER } } });
  await assert.rejects(loadTiny({ models }), { code: 'ERR_MODEL_MISMATCH', message: /received those of older/ });
});

test('the digest holds what scores depend on, and nothing else', () => {
  const digest = modelDigest(clipManifest);
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.equal(modelDigest({ ...clipManifest, unsafeClipScore: 0.9, name: 'renamed', calibration: { a: 1 } }), digest);
  const { files, vision, text } = clipManifest;
  const changed = [
    { ...clipManifest, files: { ...files, vision: { ...files.vision, sha256: OTHER } } },
    { ...clipManifest, vision: { ...vision, mean: [0, 0, 0] } },
    { ...clipManifest, text: { ...text, maxTokens: 76 } },
  ];
  for (const manifest of changed) assert.notEqual(modelDigest(manifest), digest);
  assert.notEqual(modelDigest({ ...rewardManifest, scale: 2 }), modelDigest(rewardManifest));
});

test('a model that was never calibrated decides nothing', async () => {
  const clip = join(folder, 'uncalibrated');
  cpSync(tinyModels.clip, clip, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(clip, 'manifest.json'), 'utf8')) as object;
  writeFileSync(join(clip, 'manifest.json'), JSON.stringify({ ...manifest, unsafeClipScore: null }));
  const models = { ...tinyModels, clip };
  await assert.rejects(loadTiny({ models }), {
    code: 'ERR_NO_THRESHOLD',
    message:
      /threshold of the CLIP model for method 'eta'.*never calibrated.*eta-vlm calibrate --safe DIR', where safe ones alone are enough.*Or give thresholds\.unsafeClipScore/,
  });
  await using eta = await loadEta({ models, method: 'vanilla', contextSize: 512, threadCount: 1, maxTokens: 4 });
  assert.equal((await eta.respond({ prompt: 'What?', image: pictures[0] })).verdict.action, 'answered');
  await assert.rejects(eta.respond({ prompt: 'What?', image: pictures[0], method: 'eta' }), {
    code: 'ERR_NO_THRESHOLD',
  });
  const given = { prompt: 'What?', image: pictures[0], method: 'eta' as const, thresholds: { unsafeClipScore: 1 } };
  assert.equal((await eta.respond(given)).verdict.action, 'answered');
  assert.equal(
    (await factsOf({ models, thresholdsFile: written('calibrated.json', { clip: CLIP }) })).unsafeClipScore,
    0.25,
  );
});

test('a low threshold of a file decides behind the gate that asks it, and is said to be measured', async () => {
  const path = written('gate.json', { rewardModel: { ...REWARD, safeReward: 1e6, lowReward: -1e6 } });
  await using eta = await loadTiny({
    thresholdsFile: path,
    gate: 'lowAnswerOrBoth',
    thresholds: { unsafeClipScore: 1 },
  });
  assert.deepEqual([eta.facts.thresholds.lowReward, eta.facts.thresholdSources.lowReward], [-1e6, path]);
  const { verdict } = await eta.respond({ prompt: 'What?', image: pictures[0] });
  assert.deepEqual([verdict.action, verdict.answer?.threshold, verdict.answer?.isCalibrated], ['answered', -1e6, true]);
  const other = await eta.respond({ prompt: 'What?', thresholds: { lowReward: -2e6 } });
  assert.equal(other.verdict.answer?.isCalibrated, false, 'another number is nobody’s measure');
  const both = await eta.respond({ prompt: 'What?', image: pictures[0], thresholds: { unsafeClipScore: -1 } });
  assert.deepEqual([both.verdict.action, both.verdict.answer?.threshold], ['refused', 1e6]);
  const without = written('without.json', { rewardModel: REWARD });
  await assert.rejects(loadTiny({ thresholdsFile: without, gate: 'lowAnswerOrBoth' }), { code: 'ERR_NO_THRESHOLD' });
  // The first as a number: the file is asked for the low one alone.
  const half = await factsOf({ thresholdsFile: path, gate: 'lowAnswerOrBoth', thresholds: { safeReward: 2e6 } });
  assert.deepEqual([half.safeReward, half.lowReward, half.sources.lowReward], [2e6, -1e6, path]);
});
