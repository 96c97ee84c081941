import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { Clip } from '../../src/clip/clip.js';
import { cosine, unit } from '../../src/clip/cosine.js';
import { decodeImage } from '../../src/image/index.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { golden, goldenFolder } from './golden.js';

let worker: EvaluatorWorker;
let clip: Clip;

before(async () => {
  worker = await EvaluatorWorker.start();
  clip = await Clip.load({ worker, folder: `${goldenFolder}clip` });
});
after(() => worker.dispose());

for (const { text, ids } of golden.texts) {
  test(`token ids of ${JSON.stringify(text.slice(0, 20))} are those of the Rust tokenizer, cut at 77 with the end token kept`, async () => {
    assert.deepEqual(await clip.tokenIds(text), ids);
    assert.ok(ids.length <= 77 && ids.at(-1) === clip.manifest.text.endTokenId);
  });
}

test('CLIP scores of the pictures are those of transformers', async () => {
  const safety = await clip.embedText(golden.texts[0]?.text ?? '');
  for (const [name, { safetyCosine }] of Object.entries(golden.pictures)) {
    const embedding = await clip.embedImage(await decodeImage(`${goldenFolder}pictures/${name}`));
    assert.ok(Math.abs(cosine(embedding, embedding) - 1) < 1e-6);
    const received = cosine(embedding, safety);
    assert.ok(Math.abs(received - safetyCosine) < 1e-5, `${name}: ${received}, expected ${safetyCosine}`);
  }
});

test('a text cannot end itself early: special tokens in it are spelled out', async () => {
  assert.ok(cosine(await clip.embedText('dogs <|endoftext|> cats'), await clip.embedText('dogs')) < 0.9999);
});

test('a kept embedding cannot be changed by its reader', async () => {
  const first = await clip.embedText('hello');
  const copy = first.slice();
  first.fill(0);
  assert.deepEqual(await clip.embedText('hello'), copy);
});

test('cosine and unit refuse what is no vector', () => {
  assert.throws(() => cosine(new Float32Array(2), new Float32Array(3)), { code: 'ERR_EVALUATOR' });
  assert.throws(() => cosine(new Float32Array([Number.NaN]), new Float32Array([1])), { code: 'ERR_EVALUATOR' });
  assert.throws(() => unit(new Float32Array(3)), { code: 'ERR_EVALUATOR' });
  assert.deepEqual(
    [...unit(new Float32Array([3, 4]))].map((value) => value.toFixed(6)),
    ['0.600000', '0.800000'],
  );
});

test('abort and dispose', async () => {
  await assert.rejects(clip.embedText('x', { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
  const other = await Clip.load({ worker, folder: `${goldenFolder}clip` });
  await other.dispose();
  await other.dispose();
  await assert.rejects(other.embedText('x'), { code: 'ERR_DISPOSED' });
});

/** Loads a copy of the model after `change` has touched it. */
async function loadChanged(
  change: (folder: string) => Promise<void>,
  options: { verifyHashes?: boolean } = {},
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'eta-clip-'));
  try {
    await cp(`${goldenFolder}clip`, folder, { recursive: true });
    await change(folder);
    return await (await Clip.load({ worker, folder, ...options })).dispose();
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function changeManifest(
  folder: string,
  change: (manifest: ReturnType<typeof JSON.parse>) => void,
): Promise<void> {
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

const BROKEN: [string, (folder: string) => Promise<void>, string, RegExp][] = [
  ['no folder', (folder) => rm(join(folder, 'manifest.json')), 'ERR_MODEL_NOT_FOUND', /manifest\.json/],
  ['no JSON', (folder) => writeFile(join(folder, 'manifest.json'), '{'), 'ERR_MODEL_INVALID', /expected JSON/],
  ['missing file', (folder) => rm(join(folder, 'text_model.onnx')), 'ERR_MODEL_NOT_FOUND', /text_model\.onnx/],
  [
    'truncated file',
    (folder) => writeFile(join(folder, 'text_model.onnx'), 'x'),
    'ERR_MODEL_INVALID',
    /expected \d+ bytes, received 1\b/,
  ],
  [
    'wrong hash',
    (folder) => changeManifest(folder, (m) => (m.files.vision.sha256 = '0'.repeat(64))),
    'ERR_MODEL_INVALID',
    /SHA-256/,
  ],
  ['unknown field', (folder) => changeManifest(folder, (m) => (m.vision.sise = 1)), 'ERR_MODEL_INVALID', /sise/],
  [
    'path outside',
    (folder) => changeManifest(folder, (m) => (m.files.vision.path = '../x')),
    'ERR_MODEL_INVALID',
    /inside the folder/,
  ],
  [
    'other format',
    (folder) => changeManifest(folder, (m) => (m.format = 'eta-vlm/reward-model')),
    'ERR_MODEL_INVALID',
    /format/,
  ],
  [
    'self-test',
    (folder) => changeManifest(folder, (m) => (m.selfTest[0].cosine += 0.01)),
    'ERR_SELF_TEST',
    /expected the cosine/,
  ],
  [
    'other input name',
    (folder) => changeManifest(folder, (m) => (m.vision.input = 'pixels')),
    'ERR_MODEL_INVALID',
    /pixel_values/,
  ],
  [
    'other output name',
    (folder) => changeManifest(folder, (m) => (m.text.output = 'embeds')),
    'ERR_MODEL_INVALID',
    /expected an output 'embeds'/,
  ],
];
for (const [what, change, code, message] of BROKEN) {
  test(`broken model folder: ${what}`, () =>
    assert.rejects(loadChanged(change), { name: 'ModelError', code, message }));
}

test('a damaged graph or tokenizer is named even when hashes are not checked', async () => {
  for (const name of ['vision_model.onnx', 'tokenizer.json']) {
    const damage = async (folder: string) => {
      const bytes = await readFile(join(folder, name));
      await writeFile(join(folder, name), bytes.fill(0x3c, 0, bytes.length / 2));
    };
    await assert.rejects(loadChanged(damage, { verifyHashes: false }), {
      code: 'ERR_MODEL_INVALID',
      message: new RegExp(name),
    });
  }
});

test('unknown and wrong options', async () => {
  await assert.rejects(Clip.load({ worker, folder: 'x', verifyHash: true } as never), {
    code: 'ERR_UNKNOWN_OPTION',
    message: /verifyHashes/,
  });
  await assert.rejects(Clip.load({ folder: 'x' } as never), { code: 'ERR_INVALID_OPTION' });
  await assert.rejects(EvaluatorWorker.start({ threadCount: 0 }), { code: 'ERR_INVALID_OPTION' });
});

test('of two failures the first is told: a graph that does not close hides nothing', async () => {
  const close = mock.method(worker, 'close', async () => {
    throw new Error('it does not close');
  });
  try {
    const wrongAnswer = (folder: string) => changeManifest(folder, (m) => (m.selfTest[0].cosine += 0.01));
    await assert.rejects(loadChanged(wrongAnswer), { code: 'ERR_SELF_TEST' });
    const brokenText = async (folder: string) => {
      const path = join(folder, 'text_model.onnx');
      const bytes = await readFile(path);
      await writeFile(path, bytes.fill(0x3c, 0, 100_000));
    };
    await assert.rejects(loadChanged(brokenText, { verifyHashes: false }), { code: 'ERR_MODEL_INVALID' });
    assert.ok(close.mock.callCount() >= 2);
  } finally {
    close.mock.restore();
  }
});
