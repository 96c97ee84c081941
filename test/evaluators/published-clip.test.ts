/**
 * CLIP folders as transformers.js publishes them, without a manifest of ours: the same graphs and tokenizers as the golden
 * ones, beside the files that the originals' publishers put there. Scores must be those of the original classes.
 */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Clip } from '../../src/clip/clip.js';
import { cosine } from '../../src/clip/cosine.js';
import { decodeImage } from '../../src/image/index.js';
import { type ClipManifest, readClip } from '../../src/manifest/index.js';
import { clipPlace } from '../../src/models/index.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { formats, formatsFolder } from './formats.js';
import { goldenFolder } from './golden.js';
import { renamedOutput } from './renamed-output.js';

const TOLERANCE = 1e-5;
let worker: EvaluatorWorker;
let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'eta-published-'));
  worker = await EvaluatorWorker.start({ threadCount: 1 });
});
after(async () => {
  await worker.dispose();
  await rm(scratch, { recursive: true });
});

/** As the hub has it beside openai/clip-vit-large-patch14-336 in ONNX. */
const CLIP_FILES = {
  'config.json': {
    model_type: 'clip',
    text_config: { model_type: 'clip_text_model' },
    vision_config: { image_size: 336 },
  },
  'preprocessor_config.json': {
    crop_size: { height: 336, width: 336 },
    do_center_crop: true,
    do_normalize: true,
    do_resize: true,
    feature_extractor_type: 'CLIPFeatureExtractor',
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
    resample: 3,
    size: { shortest_edge: 336 },
  },
};
const SIGLIP_FILES = {
  'config.json': {
    model_type: 'siglip',
    text_config: { max_position_embeddings: 64 },
    vision_config: { image_size: 224 },
  },
  'preprocessor_config.json': {
    do_normalize: true,
    do_resize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_processor_type: 'SiglipImageProcessor',
    image_std: [0.5, 0.5, 0.5],
    resample: 2,
    size: { height: 224, width: 224 },
  },
};

type Files = Readonly<Record<string, unknown>>;

/** A published folder of a golden model; undefined in place of a file leaves it out. */
async function published(name: 'vit-l-14-336' | 'siglip2', changed: Files = {}): Promise<string> {
  const folder = await mkdtemp(join(scratch, `${name}-`));
  await mkdir(join(folder, 'onnx'));
  for (const graph of ['vision_model.onnx', 'text_model.onnx']) {
    const bytes = await readFile(join(formatsFolder + name, graph));
    const own = graph.startsWith('vision') ? 'image_embeds' : 'text_embeds';
    const named = name === 'siglip2' ? renamedOutput(bytes, own, 'pooler_output') : bytes;
    await writeFile(join(folder, 'onnx', graph), named);
  }
  const tokenizer = JSON.parse(await readFile(join(formatsFolder + name, 'tokenizer.json'), 'utf8'));
  if (name === 'siglip2') asPublished(tokenizer);
  const files: Files = { 'tokenizer.json': tokenizer, ...(name === 'siglip2' ? SIGLIP_FILES : CLIP_FILES), ...changed };
  for (const [path, value] of Object.entries(files))
    if (value !== undefined) await writeFile(join(folder, path), JSON.stringify(value));
  return folder;
}

/** Gemma's tokenizer as it is published: it keeps the case, and puts no end behind a text. */
function asPublished(tokenizer: { normalizer: unknown; post_processor: unknown }): void {
  const all = (tokenizer.normalizer as { normalizers?: { type: string }[] }).normalizers ?? [];
  assert.equal(all[0]?.type, 'Lowercase');
  tokenizer.normalizer = all[1] ?? null;
  tokenizer.post_processor = null;
}

const load = async (folder: string) => Clip.load({ worker, folder: await clipPlace(folder) });

for (const name of ['vit-l-14-336', 'siglip2'] as const) {
  const { texts, pictures } = formats.clips[name] ?? { texts: [], pictures: {} };

  test(`${name}: prepared as the converter says`, async () => {
    const { manifest, isOurs } = await readClip(await clipPlace(await published(name)));
    const golden = JSON.parse(await readFile(join(formatsFolder + name, 'manifest.json'), 'utf8')) as ClipManifest;
    const { output: _vision, ...vision } = golden.vision;
    const { output: _text, ...text } = golden.text;
    assert.equal(isOurs, false);
    assert.deepEqual({ ...manifest.vision, output: undefined }, { ...vision, output: undefined });
    const { output: _own, isLowerCase = false, appendsEnd = false, ...ownText } = manifest.text;
    assert.deepEqual(ownText, text);
    assert.deepEqual([isLowerCase, appendsEnd], name === 'siglip2' ? [true, true] : [false, false]);
    if (name === 'vit-l-14-336') assert.equal(manifest.files.vision.sha256, golden.files.vision.sha256);
    assert.equal(manifest.unsafeClipScore, null);
  });

  test(`${name}: token ids, texts and pictures score as the original's`, async () => {
    const clip = await load(await published(name));
    const first = await clip.embedText(texts[0]?.text ?? '');
    for (const { text, ids, cosine: expected } of texts) {
      assert.deepEqual(await clip.tokenIds(text), ids, JSON.stringify(text.slice(0, 20)));
      assert.ok(Math.abs(cosine(await clip.embedText(text), first) - expected) < TOLERANCE, text);
    }
    for (const [picture, { cosines }] of Object.entries(pictures)) {
      const embedding = await clip.embedImage(await decodeImage(`${goldenFolder}pictures/${picture}`));
      for (const [at, expected] of cosines.entries()) {
        const received = cosine(embedding, await clip.embedText(texts[at]?.text ?? ''));
        assert.ok(Math.abs(received - expected) < TOLERANCE, `${picture}, ${at}: ${received}, expected ${expected}`);
      }
    }
    await clip.dispose();
  });
}

test('in the hub’s cache the name of a blob is the hash, and a file that was changed is refused', async () => {
  const folder = await published('vit-l-14-336');
  const vision = join(folder, 'onnx/vision_model.onnx');
  const { sha256 } = (await readClip(vision)).manifest.files.vision;
  await mkdir(join(folder, 'blobs'));
  await copyFile(vision, join(folder, 'blobs', sha256));
  await rm(vision);
  await symlink(join('..', 'blobs', sha256), vision);
  await (await load(folder)).dispose();
  const bytes = await readFile(join(folder, 'blobs', sha256));
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  await writeFile(join(folder, 'blobs', sha256), bytes);
  await assert.rejects(load(folder), {
    code: 'ERR_MODEL_INVALID',
    message: /expected the SHA-256 [0-9a-f]{64}, received/,
  });
});

test('which of several variants', async () => {
  const folder = await published('vit-l-14-336');
  const named = async () => (await clipPlace(folder)).replace(folder, '');
  await copyFile(join(folder, 'onnx/vision_model.onnx'), join(folder, 'onnx/vision_model_quantized.onnx'));
  assert.equal(await named(), '/onnx/vision_model.onnx');
  await rm(join(folder, 'onnx/vision_model.onnx'));
  await writeFile(join(folder, 'onnx/vision_model_fp16.onnx'), '');
  assert.equal(await named(), '/onnx/vision_model_quantized.onnx');
  assert.equal(await clipPlace(formatsFolder), formatsFolder, 'a folder of something else stays what it is');
});

const { size: _size, ...sizeless } = CLIP_FILES['preprocessor_config.json'];
for (const [what, changed, code, message] of [
  [
    'another kind of model',
    { 'config.json': { model_type: 'chinese_clip' } },
    'ERR_MODEL_INVALID',
    /model_type: expected clip or siglip/,
  ],
  [
    'no config',
    { 'config.json': undefined },
    'ERR_MODEL_NOT_FOUND',
    /config\.json" beside the graphs of a published CLIP.*ENOENT/,
  ],
  [
    'pictures cut otherwise',
    { 'preprocessor_config.json': { ...sizeless, size: { shortest_edge: 400 } } },
    'ERR_MODEL_INVALID',
    /expected pictures that are cut to the size/,
  ],
  [
    'another way to resize',
    { 'preprocessor_config.json': { ...CLIP_FILES['preprocessor_config.json'], resample: 1 } },
    'ERR_MODEL_INVALID',
    /resample: expected 2 \(bilinear\) or 3/,
  ],
  [
    'another tokenizer',
    { 'tokenizer.json': { added_tokens: [], model: { vocab: {} } } },
    'ERR_MODEL_INVALID',
    /expected the token <\|endoftext\|>/,
  ],
] as const)
  test(`refused: ${what}`, async () => {
    await assert.rejects(load(await published('vit-l-14-336', changed)), { name: 'ModelError', code, message });
  });

test('refused: graphs that do not belong together, and a device without numbers to check it by', async () => {
  const folder = await published('vit-l-14-336');
  await copyFile(join(formatsFolder, 'mobileclip/text_model.onnx'), join(folder, 'onnx/text_model.onnx'));
  await assert.rejects(load(folder), {
    code: 'ERR_MODEL_MISMATCH',
    message: /'input_ids' takes 14 at place 1 of its shape, received one that takes 77/,
  });
  await assert.rejects(
    Clip.load({ worker, folder: await clipPlace(await published('vit-l-14-336')), provider: 'webgpu' }),
    {
      code: 'ERR_SELF_TEST',
      message: /expected a self-test to run it on webgpu, received a model as others publish it/,
    },
  );
});
