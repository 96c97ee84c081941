/**
 * Pictures as the text that is nearest to them. The rows are those of stock libmtmd (test/golden/paper), the table is read here
 * from the model's file: neither comes from the code under test. What a picture became is told by the logits behind it.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EncodedImages, Model } from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import { readGguf } from '../../src/models/index.js';
import type { NativePart } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { RgbImage } from '../../src/types/picture.js';
import { PLACE } from '../device.js';
import { EXACT, started, tinyModel } from './fixture.js';

const paper = (name: string) => fileURLToPath(new URL(`../golden/paper/${name}`, import.meta.url));
const NAMES = ['square.png', 'wide.png', 'tall.png', 'photo.png'] as const;

/** Where the F32 table of token embeddings lies in a GGUF: its tensors stand behind each other up to the file's end. */
async function tableOf(
  path: string,
): Promise<{ readonly bytes: Buffer; readonly offset: number; readonly size: number }> {
  const { tensors } = await readGguf(path);
  const at = tensors.findIndex(({ name }) => name === 'token_embd.weight');
  const table = tensors[at];
  assert.ok(table?.type === 0, 'a table of float32');
  const bytes = await readFile(path);
  const behind = tensors.slice(at).reduce((sum, { sizeBytes }) => sum + Math.ceil(sizeBytes / 32) * 32, 0);
  return { bytes, offset: bytes.length - behind, size: table.sizeBytes };
}

function embedding({ bytes, offset }: Awaited<ReturnType<typeof tableOf>>, token: number, width: number): number[] {
  return Array.from({ length: width }, (_, k) => bytes.readFloatLE(offset + 4 * (token * width + k)));
}

function cosine(one: readonly number[], other: readonly number[]): number {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}

/** Tokens by their cosine with each row, the nearest first; control tokens, which have no text, left out. */
async function ranked(model: Model, path: string, rows: readonly number[][]): Promise<number[][]> {
  const table = await tableOf(path);
  const { vocabularySize, embeddingSize } = model.facts;
  const texts = Array.from({ length: vocabularySize }, (_, token) => token).filter(
    (token) => model.tokenBytes(token).length > 0,
  );
  const embedded = texts.map((token) => ({ token, numbers: embedding(table, token, embeddingSize) }));
  return rows.map((row) =>
    embedded
      .map(({ token, numbers }) => ({ token, score: cosine(row, numbers) }))
      .sort((one, other) => other.score - one.score)
      .map(({ token }) => token),
  );
}

async function logitsBehind(model: Model, part: NativePart): Promise<Float32Array> {
  await using context = await model.createContext(EXACT);
  const { sequence } = await started(context, [Int32Array.of(5), part, Int32Array.of(6, 7)]);
  return await sequence.logits();
}

const load = (modelPath = paper('model.gguf')) =>
  Model.load({ modelPath, projectorPath: paper('projector.gguf'), ...PLACE, threadCount: 1 });

let model: Model;
let embeddings: Readonly<Record<string, number[][]>>;
let folder: string;
before(async () => {
  [model, folder] = [await load(), await mkdtemp(join(tmpdir(), 'nearest-'))];
  embeddings = JSON.parse(await readFile(paper('embeddings.json'), 'utf8'));
});
after(async () => {
  await model.dispose();
  await rm(folder, { recursive: true });
});

async function pictured(of: Model, name: string): Promise<NativeImage> {
  return await of.encodeImage(await decodeImage(paper(`pictures/${name}`)));
}

for (const name of NAMES)
  test(`${name}: every row is the token whose embedding has the largest cosine with it`, async () => {
    const rows = embeddings[name] ?? [];
    const tokens = await ranked(model, paper('model.gguf'), rows);
    const image = await pictured(model, name);
    const text = await model.nearestText(image);
    assert.deepEqual(
      [text.tokenCount, text.positionCount, text.embeddingBytes],
      [rows.length, rows.length, 4 * rows.length],
    );
    const found = await logitsBehind(model, text);
    const nearest = Int32Array.from(tokens, ([first = -1]) => first);
    assert.deepEqual(found, await logitsBehind(model, nearest));
    // The control: the second nearest in one place, and the picture itself, read otherwise.
    const other = nearest.slice();
    other[other.length >> 1] = tokens[other.length >> 1]?.[1] ?? -1;
    assert.notDeepEqual(found, await logitsBehind(model, other));
    assert.notDeepEqual(found, await logitsBehind(model, image));
    image.dispose();
    assert.deepEqual(await logitsBehind(model, text), found, 'it stands without the picture that it was made of');
  });

test('a token that is the row itself is found, wherever it stands; a control token is not', async () => {
  const { bytes, offset } = await tableOf(paper('model.gguf'));
  const { embeddingSize: width, vocabularySize, endToken } = model.facts;
  const [row = []] = embeddings['square.png'] ?? [];
  const patched = async (token: number) => {
    const copy = Buffer.from(bytes);
    row.forEach((number, k) => void copy.writeFloatLE(3 * number, offset + 4 * (token * width + k)));
    const path = join(folder, `token-${token}.gguf`);
    await writeFile(path, copy);
    return path;
  };
  const tokenAt = async (path: string) => {
    await using changed = await load(path);
    const text = await changed.nearestText(await pictured(changed, 'square.png'));
    const expected = (await ranked(changed, path, embeddings['square.png'] ?? [])).map(([first = -1]) => first);
    assert.deepEqual(await logitsBehind(changed, text), await logitsBehind(changed, Int32Array.from(expected)));
    return expected[0];
  };
  const last = vocabularySize - 1;
  assert.ok(model.tokenBytes(last).length > 0 && model.tokenBytes(endToken ?? -1).length === 0);
  assert.equal(await tokenAt(await patched(last)), last);
  assert.notEqual(await tokenAt(await patched(endToken ?? -1)), endToken);
});

test('the forms of a picture are kept apart, and each is made once', async () => {
  const images = new EncodedImages(model);
  const pixels: RgbImage = await decodeImage(paper('pictures/square.png'));
  const rows = await images.borrow(pixels);
  const [text, again] = await Promise.all([1, 2].map(() => images.borrow(pixels, { form: 'nearestText' })));
  assert.ok(text !== undefined && again !== undefined);
  assert.equal(text.image, again.image);
  assert.notEqual(text.image, rows.image);
  assert.equal((await images.borrow(pixels)).image, rows.image);
  for (const borrowed of [rows, text, again]) borrowed.release();
  images.clear();
  const later = await images.borrow(pixels, { form: 'nearestText' });
  assert.notEqual(later.image, text.image, 'text is let go of too');
  images.dispose();
});

test('what cannot be read is refused, and a signal ends it', async () => {
  await using other = await tinyModel();
  const foreign = await pictured(other, 'square.png');
  await assert.rejects(model.nearestText(foreign), { code: 'ERR_INVALID_REQUEST', message: /another model/ });
  await assert.rejects(model.nearestText({} as never), { code: 'ERR_INVALID_REQUEST' });
  const image = await pictured(model, 'square.png');
  await assert.rejects(model.nearestText(image, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const controller = new AbortController();
  const stopped = model.nearestText(image, { signal: controller.signal });
  controller.abort();
  await assert.rejects(stopped, { name: 'AbortError' });
  // A table of another name: the file was changed while the model was loaded.
  const { bytes } = await tableOf(paper('model.gguf'));
  const path = join(folder, 'renamed.gguf');
  await writeFile(path, bytes);
  await using loaded = await load(path);
  const own = await pictured(loaded, 'square.png');
  const at = bytes.indexOf('token_embd.weight');
  const renamed = Buffer.from(bytes);
  renamed.write('token_embX', at);
  await rm(path);
  await writeFile(path, renamed);
  await assert.rejects(loaded.nearestText(own), { code: 'ERR_MODEL_INVALID', message: /has no token_embd\.weight/ });
  image.dispose();
  await assert.rejects(model.nearestText(image), { code: 'ERR_DISPOSED' });
});
