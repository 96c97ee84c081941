/** Converted models have no thresholds: another model's would say nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadEta } from '../../src/index.js';

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const models = {
  languageModel: file('models/miniature/language-model.gguf'),
  projector: file('models/miniature/projector.gguf'),
  clip: file('test/golden/evaluators/formats/vit-l-14-336'),
  rewardModel: file('test/golden/evaluators/formats/armorm'),
};

test('without thresholds they are refused, and the way to one is named', async () => {
  await assert.rejects(loadEta({ models }), {
    name: 'ModelError',
    code: 'ERR_NO_THRESHOLD',
    message: /threshold of the CLIP model.*eta-vlm calibrate.*thresholds\.unsafeClipScore\./,
  });
  await assert.rejects(loadEta({ models, thresholds: { unsafeClipScore: 0.2 } }), {
    code: 'ERR_NO_THRESHOLD',
    message: /threshold of the reward model.*eta-vlm calibrate/,
  });
});

test('with thresholds, or a method that compares with none, they load and answer', async () => {
  await using eta = await loadEta({ models, thresholds: { unsafeClipScore: 1, safeReward: -1000 } });
  const image = file(`models/miniature/pictures/${await aPicture()}`);
  const { verdict } = await eta.respond({ image, prompt: 'What is this?', seed: 1, maxTokens: 4 });
  assert.ok(Number.isFinite(verdict.picture?.score), `${verdict.picture?.score}`);
  assert.equal(verdict.picture?.isCalibrated, false);
  await using plain = await loadEta({ models, method: 'vanilla' });
  assert.equal(plain.facts.thresholds.safeReward, null);
});

async function aPicture(): Promise<string> {
  const { readdir } = await import('node:fs/promises');
  const names = await readdir(file('models/miniature/pictures'));
  return names.find((name) => /\.(png|jpg|webp)$/.test(name)) ?? '';
}
