/** CLIP, SigLIP 2 and MobileCLIP, converted by `eta-vlm models convert`, against their original classes and processors. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Clip } from '../../src/clip/clip.js';
import { cosine } from '../../src/clip/cosine.js';
import { decodeImage } from '../../src/image/index.js';
import { imageTensor } from '../../src/onnx/image-tensor.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { formats, formatsFolder } from './formats.js';
import { goldenFolder } from './golden.js';

const TOLERANCE = 1e-5;
let worker: EvaluatorWorker;
before(async () => {
  worker = await EvaluatorWorker.start({ threadCount: 1 });
});
after(() => worker.dispose());

const load = (name: string) => Clip.load({ worker, folder: formatsFolder + name });

for (const [name, { texts, pictures }] of Object.entries(formats.clips)) {
  test(`${name}: token ids and scores of texts are the original's`, async () => {
    const clip = await load(name);
    const first = await clip.embedText(texts[0]?.text ?? '');
    for (const { text, ids, cosine: expected } of texts) {
      assert.deepEqual(await clip.tokenIds(text), ids, JSON.stringify(text.slice(0, 20)));
      const received = cosine(await clip.embedText(text), first);
      assert.ok(
        Math.abs(received - expected) < TOLERANCE,
        `${JSON.stringify(text)}: ${received}, expected ${expected}`,
      );
    }
    await clip.dispose();
  });

  test(`${name}: scores of pictures with every text are the original's`, async () => {
    const clip = await load(name);
    for (const [picture, { cosines }] of Object.entries(pictures)) {
      const embedding = await clip.embedImage(await decodeImage(`${goldenFolder}pictures/${picture}`));
      for (const [at, expected] of cosines.entries()) {
        const received = cosine(embedding, await clip.embedText(texts[at]?.text ?? ''));
        assert.ok(Math.abs(received - expected) < TOLERANCE, `${picture}, ${at}: ${received}, expected ${expected}`);
      }
    }
    await clip.dispose();
  });

  test(`${name}: the tensors of pictures are the original processor's, to the last bit`, async () => {
    const clip = await load(name);
    for (const [picture, { sha256, sample }] of Object.entries(pictures)) {
      const tensor = imageTensor(await decodeImage(`${goldenFolder}pictures/${picture}`), clip.manifest.vision);
      const step = Math.floor(tensor.length / 16);
      const received = Array.from({ length: 16 }, (_, i) => tensor[i * step] ?? Number.NaN);
      const difference = Math.max(...received.map((value, i) => Math.abs(value - (sample[i] ?? Number.NaN))));
      const hash = createHash('sha256').update(new Uint8Array(tensor.buffer)).digest('hex');
      assert.equal(hash, sha256, `${picture}: differs by ${difference} at 16 places`);
    }
    await clip.dispose();
  });

  test(`${name}: was written without a threshold`, async () => {
    const clip = await load(name);
    assert.equal(clip.manifest.unsafeClipScore, null);
    await clip.dispose();
  });
}

test('the scales differ: a threshold of one form says nothing of another', () => {
  const means = Object.values(formats.clips).map(({ pictures }) => {
    const all = Object.values(pictures).flatMap(({ cosines }) => cosines);
    return all.reduce((sum, value) => sum + value, 0) / all.length;
  });
  assert.ok(Math.max(...means) - Math.min(...means) > 0.05, `${means}`);
});

test('a changed weight of either tower is found by the self-test, which says by how much', async () => {
  for (const [file, matrix] of [
    ['vision_model.onnx', 'visual_projection.weight'],
    ['text_model.onnx', 'text_model.embeddings.position_embedding.weight'],
  ] as const) {
    const folder = await mkdtemp(join(tmpdir(), 'eta-clip-'));
    try {
      await cp(`${formatsFolder}vit-l-14-336`, folder, { recursive: true });
      const graph = await readFile(join(folder, file));
      const [last = ''] = [matrix];
      const at = graph.lastIndexOf(last);
      const start = at < 0 ? Math.floor(graph.length / 2) : at + last.length + 16;
      for (let i = 0; i < 32; i++) graph.writeFloatLE(1, start + i * 4);
      await writeFile(join(folder, file), graph);
      await assert.rejects(
        Clip.load({ worker, folder, verifyHashes: false }),
        { code: 'ERR_SELF_TEST', message: /expected the cosine .* received .*: off by [\d.e+-]+\./ },
        file,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  }
});
