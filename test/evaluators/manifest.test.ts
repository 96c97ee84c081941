/** The bounds of what a manifest may say: the last value that is taken, the first that is refused, by its name. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { clipManifestSchema, readManifest, rewardManifestSchema } from '../../src/manifest/index.js';
import { goldenFolder } from './golden.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-manifest-'));
after(() => rmSync(folder, { recursive: true }));

const SCHEMAS = { clip: clipManifestSchema, reward: rewardManifestSchema };
const MODELS = {
  clip: `${goldenFolder}clip`,
  decoder: `${goldenFolder}reward-scalar`,
  encoder: `${goldenFolder}reward-encoder`,
  trunk: join(goldenFolder, '..', 'reward-trunk', 'scalar'),
};

type Model = keyof typeof MODELS;

/** The model's manifest with one value in the place of another. */
async function readWith(model: Model, place: string, value: unknown): Promise<unknown> {
  const manifest = JSON.parse(readFileSync(join(MODELS[model], 'manifest.json'), 'utf8'));
  const names = place.split('.');
  const last = names.pop() ?? '';
  names.reduce((inner, name) => inner[name], manifest)[last] = value;
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return await readManifest(folder, SCHEMAS[model === 'clip' ? 'clip' : 'reward']);
}

const picture = (width: number, height: number) => ({
  text: 'a',
  picture: { width, height },
  cosine: 0.5,
  tolerance: 0.1,
});

const BOUNDS: readonly (readonly [Model, string, readonly unknown[], readonly unknown[]])[] = [
  ['clip', 'version', [1], [0, 2]],
  ['clip', 'name', ['a'], ['', 1]],
  ['clip', 'vision.imageSize', [1, 4096], [0, 4097, 56.5]],
  [
    'clip',
    'vision.mean',
    [[0, 0, 0]],
    [
      [0, 0],
      [0, 0, 0, 0],
    ],
  ],
  [
    'clip',
    'vision.std',
    [[1, 1, 1]],
    [
      [1, 1],
      [1, 1, 1, 1],
    ],
  ],
  ['clip', 'vision.crop', ['center', 'center-rounded', 'squash'], ['middle']],
  ['clip', 'text.maxTokens', [2], [1]],
  ['clip', 'text.padTokenId', [0], [-1, 0.5]],
  ['clip', 'text.endTokenId', [0], [-1, 0.5]],
  ['clip', 'text.padTo', [1, null], [0]],
  ['clip', 'unsafeClipScore', [-1, 1, null], [-1.01, 1.01]],
  ['clip', 'selfTest.1', [picture(1, 4096), picture(4096, 1)], [picture(0, 1), picture(1, 4097), picture(4097, 1)]],
  ['clip', 'files.vision.sizeBytes', [0], [-1]],
  ['clip', 'files.vision.path', ['a/b'], ['', '/a', '../a', 'a/../../b']],
  ['clip', 'files.vision.sha256', ['0'.repeat(64)], ['0'.repeat(63), '0'.repeat(65), 'A'.repeat(64)]],
  ['decoder', 'version', [1], [0, 2]],
  ['decoder', 'maxTokens', [8], [7]],
  ['decoder', 'kind', ['causal'], ['encoder']],
  ['decoder', 'cache.layers', [1], [0]],
  ['decoder', 'cache.heads', [1], [0]],
  ['decoder', 'cache.headSize', [1], [0]],
  ['decoder', 'cache.past', ['{layer}{kv}'], ['{layer}', '{kv}']],
  ['decoder', 'cache.present', ['{layer}{kv}'], ['{layer}', '{kv}']],
  ['decoder', 'safeReward', [-1e9, 1e9, null], ['0']],
  ['decoder', 'surprise', [], [1]],
  ['encoder', 'kind', ['encoder'], ['causal']],
  ['encoder', 'score', [{ type: 'scalar', output: 'logits' }], []],
  ['trunk', 'version', [1], [0, 2]],
  ['trunk', 'maxTokens', [8], [7]],
  ['trunk', 'heads.hiddenSize', [1], [0]],
  ['trunk', 'cacheType', ['f32', 'f16'], ['q8_0']],
];

for (const [model, place, taken, refused] of BOUNDS) {
  test(`${model}: ${place}`, async () => {
    for (const value of taken) await readWith(model, place, value);
    for (const value of refused) {
      await assert.rejects(readWith(model, place, value), { code: 'ERR_MODEL_INVALID' }, JSON.stringify(value));
    }
  });
}

test('what is refused is named', async () => {
  await assert.rejects(readWith('clip', 'vision.imageSize', 4097), { message: /vision\.imageSize: .*4096/ });
});

test('an encoder has no cache, and one number for a score', async () => {
  const { cache } = JSON.parse(readFileSync(join(MODELS.decoder, 'manifest.json'), 'utf8'));
  const { score } = JSON.parse(readFileSync(join(goldenFolder, 'reward-gated', 'manifest.json'), 'utf8'));
  const refusal = { code: 'ERR_MODEL_INVALID', message: /expected an encoder without cache and with a scalar score/ };
  await assert.rejects(readWith('encoder', 'cache', cache), refusal);
  await assert.rejects(readWith('encoder', 'score', score), refusal);
});
