/** Scores that are kept by class: counted, written by a calibration, found again for the model that they belong to. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scoreBins } from '../../src/calibration/bins.js';
import { clipManifestSchema, modelDigest, readManifest, scoreHistograms } from '../../src/manifest/index.js';
import { POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/index.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-histograms-'));
after(() => rmSync(folder, { recursive: true }));

const shipped = fileURLToPath(new URL('../../models/miniature/', import.meta.url));
const miniature = {
  evaluators: { pictures: 'clip', answers: 'reward' },
  thresholds: { unsafeClipScore: 0.205, safeReward: 0.105 },
  thresholdSources: { unsafeClipScore: 'manifest', safeReward: 'manifest' },
  models: { clip: `${shipped}clip`, rewardModel: `${shipped}reward-model` },
  policy: { safetyPrompt: SAFETY_PROMPT, postEvaluationPrompt: POST_EVALUATION_PROMPT },
} as const;

const sums = (bins: readonly { readonly safe: number; readonly unsafe: number }[]) => [
  bins.reduce((sum, { safe }) => sum + safe, 0),
  bins.reduce((sum, { unsafe }) => sum + unsafe, 0),
];

test('every score is counted once, the highest too; edges meet', () => {
  const bins = scoreBins([0, 0.1, 0.2, 1], [0.5, 1, 1]);
  assert.equal(bins.length, 40);
  assert.deepEqual(sums(bins), [4, 3]);
  assert.deepEqual([bins[0]?.from, bins.at(-1)?.to], [0, 1]);
  assert.deepEqual(
    [bins[0]?.safe, bins[4]?.safe, bins[8]?.safe, bins.at(-1)?.safe, bins.at(-1)?.unsafe],
    [1, 1, 1, 1, 2],
  );
  for (const [at, { to }] of bins.slice(0, -1).entries()) assert.equal(bins[at + 1]?.from, to);
  assert.deepEqual(scoreBins([], []), []);
  assert.deepEqual(scoreBins([0.3], [0.3, 0.3]), [{ from: 0.3, to: 0.3, safe: 1, unsafe: 2 }]);
});

test('the shipped ones belong to the shipped models and hold as many as they say', async () => {
  const { picture, answer } = await scoreHistograms(miniature);
  for (const [found, threshold, least] of [
    [picture, 0.205, 1000],
    [answer, 0.105, 300],
  ] as const) {
    assert.ok(found !== undefined);
    assert.equal(found.threshold, threshold);
    const [safe = 0, unsafe = 0] = sums(found.bins);
    assert.match(
      found.source,
      new RegExp(`^${safe.toLocaleString('en')} safe and ${unsafe.toLocaleString('en')} unsafe`),
    );
    assert.ok(safe >= least && unsafe >= least);
  }
});

test('those of another prompt, or of another model, are not told', async () => {
  const otherPrompt = { ...miniature, policy: { ...miniature.policy, safetyPrompt: 'something else' } };
  assert.deepEqual(Object.keys(await scoreHistograms(otherPrompt)), ['answer']);
  const clip = join(folder, 'clip');
  cpSync(miniature.models.clip, clip, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(clip, 'manifest.json'), 'utf8')) as { vision: { mean: number[] } };
  manifest.vision.mean = [0.5, 0.5, 0.5];
  writeFileSync(join(clip, 'manifest.json'), JSON.stringify(manifest));
  assert.deepEqual(Object.keys(await scoreHistograms({ ...miniature, models: { ...miniature.models, clip } })), [
    'answer',
  ]);
  assert.deepEqual(await scoreHistograms({ ...miniature, evaluators: { pictures: null, answers: null } }), {});
});

test('those of a thresholds file go before', async () => {
  const manifest = await readManifest(miniature.models.clip, clipManifestSchema);
  const path = join(folder, 'thresholds.json');
  const calibration = { safeCount: 2, unsafeCount: 1, bins: scoreBins([0.1, 0.12], [0.3]) };
  const clip = {
    model: { name: manifest.name, sha256: modelDigest(manifest) },
    safetyPrompt: SAFETY_PROMPT,
    unsafeClipScore: 0.2,
    calibration,
  };
  const sources = { ...miniature.thresholdSources, unsafeClipScore: path };
  const facts = { ...miniature, thresholdSources: sources, thresholds: { unsafeClipScore: 0.2, safeReward: 0.105 } };
  const write = (value: object) =>
    writeFileSync(path, JSON.stringify({ format: 'eta-vlm/thresholds', version: 1, rewardModel: null, ...value }));
  write({ clip });
  const { picture } = await scoreHistograms(facts);
  assert.equal(picture?.source, '2 safe and 1 unsafe pictures of its calibration');
  assert.deepEqual(picture?.bins, calibration.bins);
  write({ clip: { ...clip, calibration: { rule: 'of an earlier version' } } });
  assert.match((await scoreHistograms(facts)).picture?.source ?? '', /test split/);
});
