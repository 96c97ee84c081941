/**
 * A random CLIP of the size of ViT-L/14-336 (304M weights for pictures, 123M for texts), as transformers.js publishes the
 * real one, in float32 or in 8 bits: for times alone. Its scores say nothing, and it is never shipped. The tokeniser is the
 * miniature's, so a text has somewhat more tokens than with the real one.
 *
 *     node --import tsx bench/random-clip.ts FOLDER [fp32|int8]
 *
 * 8 bits: as onnxruntime's dynamic quantisation leaves a graph, which is what is published: whole numbers times whole
 * numbers (MatMulInteger), and the activations rounded as they come. The first layer, a convolution, stays float32.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GraphFile } from './onnx-file.js';

export type ClipWeights = 'fp32' | 'int8';

const PICTURE = { width: 1024, layers: 24, heads: 16, feedForward: 4096, side: 336, patch: 14 };
const TEXT = { width: 768, layers: 12, heads: 12, feedForward: 3072, vocabulary: 49_408, window: 77 };
const PROJECTED = 768;
const HEAD_SIZE = 64;

const shipped = fileURLToPath(new URL('../models/miniature/clip/', import.meta.url));

/** Writes what is not there yet. @returns the path of the picture's graph, which stands for the whole */
export function randomClip(folder: string, weights: ClipWeights): string {
  const ending = weights === 'fp32' ? '' : '_quantized';
  const vision = join(folder, 'onnx', `vision_model${ending}.onnx`);
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  copyFileSync(join(shipped, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const settings = {
    'config.json': { model_type: 'clip', text_config: { max_position_embeddings: TEXT.window } },
    'preprocessor_config.json': {
      size: { shortest_edge: PICTURE.side },
      crop_size: PICTURE.side,
      resample: 3,
      image_mean: [0.48145466, 0.4578275, 0.40821073],
      image_std: [0.26862954, 0.26130258, 0.27577711],
    },
  };
  for (const [name, value] of Object.entries(settings)) writeFileSync(join(folder, name), JSON.stringify(value));
  const text = join(folder, 'onnx', `text_model${ending}.onnx`);
  if (!existsSync(vision)) pictureTower(weights).write(vision);
  if (!existsSync(text)) textTower(weights).write(text);
  return vision;
}

/** Layers of a transformer, in float32 or in 8 bits. */
class Tower {
  readonly file = new GraphFile();
  readonly #weights: ClipWeights;
  /** Activations that are rounded already: the queries, keys and values of a layer share them. */
  readonly #rounded = new Map<string, readonly string[]>();

  constructor(weights: ClipWeights) {
    this.#weights = weights;
  }

  norm(x: string, name: string, width: number): string {
    const scale = this.file.weight(`${name}.weight`, [width], 1);
    const offset = this.file.weight(`${name}.bias`, [width], 0);
    return this.file.op('LayerNormalization', [x, scale, offset], { axis: -1, epsilon: { float: 1e-5 } });
  }

  linear(x: string, name: string, from: number, to: number, hasBias = true): string {
    const product =
      this.#weights === 'fp32'
        ? this.file.op('MatMul', [x, this.file.weight(`${name}.weight`, [from, to])])
        : this.#roundedProduct(x, name, from, to);
    return hasBias ? this.file.op('Add', [product, this.file.weight(`${name}.bias`, [to])]) : product;
  }

  layer(x: string, name: string, { width, feedForward, heads }: typeof TEXT | typeof PICTURE, mask?: string): string {
    const { file } = this;
    const attended = file.op('Add', [x, this.#attention(this.norm(x, `${name}.ln1`, width), name, width, heads, mask)]);
    const inner = this.linear(this.norm(attended, `${name}.ln2`, width), `${name}.fc1`, width, feedForward);
    const sigmoid = file.op('Sigmoid', [file.op('Mul', [inner, file.constant([1.702], 'float32', [])])]);
    const outer = this.linear(file.op('Mul', [inner, sigmoid]), `${name}.fc2`, feedForward, width);
    return file.op('Add', [attended, outer]);
  }

  #attention(x: string, name: string, width: number, heads: number, mask: string | undefined): string {
    const { file } = this;
    const split = (what: string, perm: readonly number[]) => {
      const flat = this.linear(x, `${name}.${what}`, width, width);
      const shaped = file.op('Reshape', [flat, file.constant([0, -1, heads, HEAD_SIZE], 'int64')]);
      return file.op('Transpose', [shaped], { perm });
    };
    const scale = file.constant([HEAD_SIZE ** -0.5], 'float32', []);
    const query = file.op('Mul', [split('q', [0, 2, 1, 3]), scale]);
    const plain = file.op('MatMul', [query, split('k', [0, 2, 3, 1])]);
    const scores = mask === undefined ? plain : file.op('Add', [plain, mask]);
    const mixed = file.op('MatMul', [file.op('Softmax', [scores], { axis: -1 }), split('v', [0, 2, 1, 3])]);
    const joined = file.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
    const flat = file.op('Reshape', [joined, file.constant([0, -1, width], 'int64')]);
    return this.linear(flat, `${name}.out`, width, width);
  }

  #roundedProduct(x: string, name: string, from: number, to: number): string {
    const { file } = this;
    const known = this.#rounded.get(x);
    const [rounded = '', scale = '', zero = ''] = known ?? file.ops('DynamicQuantizeLinear', [x], 3);
    this.#rounded.set(x, [rounded, scale, zero]);
    const weight = file.weight(`${name}.weight_quantized`, [from, to], 'random', 'uint8');
    const product = file.op('MatMulInteger', [rounded, weight, zero, file.constant([128], 'uint8', [])]);
    const FLOAT = 1;
    const both = file.op('Mul', [scale, file.constant([0.00028], 'float32', [])]);
    return file.op('Mul', [file.op('Cast', [product], { to: FLOAT }), both]);
  }
}

function pictureTower(weights: ClipWeights): GraphFile {
  const { width, side, patch, layers } = PICTURE;
  const tower = new Tower(weights);
  const { file } = tower;
  const pixels = file.input('pixel_values', 'float32', [1, 3, side, side]);
  const strides = { kernel_shape: [patch, patch], strides: [patch, patch] };
  const patches = file.op('Conv', [pixels, file.weight('patches.weight', [width, 3, patch, patch])], strides);
  const rows = file.op('Transpose', [file.op('Reshape', [patches, file.constant([0, width, -1], 'int64')])], {
    perm: [0, 2, 1],
  });
  const all = file.op('Concat', [file.weight('class', [1, 1, width]), rows], { axis: 1 });
  const placed = file.op('Add', [all, file.weight('places.weight', [(side / patch) ** 2 + 1, width])]);
  let x = tower.norm(placed, 'pre', width);
  for (let layer = 0; layer < layers; layer++) x = tower.layer(x, `layer${layer}`, PICTURE);
  const first = file.op('Gather', [x, file.constant([0], 'int64', [])], { axis: 1 });
  file.output(tower.linear(tower.norm(first, 'post', width), 'projection', width, PROJECTED, false), 'image_embeds', [
    1,
    PROJECTED,
  ]);
  return file;
}

/** Read at the last token, which is the end: nothing is padded. */
function textTower(weights: ClipWeights): GraphFile {
  const { width, vocabulary, window, layers } = TEXT;
  const tower = new Tower(weights);
  const { file } = tower;
  const ids = file.input('input_ids', 'int64', [1, 'tokens']);
  const count = file.op('Gather', [file.op('Shape', [ids]), file.constant([1], 'int64')], { axis: 0 });
  const start = file.constant([0], 'int64');
  const words = file.op('Gather', [file.weight('words.weight', [vocabulary, width]), ids], { axis: 0 });
  const places = file.op('Slice', [file.weight('places.weight', [window, width]), start, count, start]);
  const later = Array.from({ length: window ** 2 }, (_, at) => (at % window > Math.floor(at / window) ? -1e9 : 0));
  const wide = file.op('Slice', [file.weight('causal', [window, window], later), start, count, start]);
  const mask = file.op('Slice', [wide, start, count, file.constant([1], 'int64')]);
  let x = file.op('Add', [words, places]);
  for (let layer = 0; layer < layers; layer++) x = tower.layer(x, `layer${layer}`, TEXT, mask);
  const last = file.op('Gather', [tower.norm(x, 'final', width), file.constant([-1], 'int64', [])], { axis: 1 });
  file.output(tower.linear(last, 'projection', width, PROJECTED, false), 'text_embeds', [1, PROJECTED]);
  return file;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, weights = 'fp32'] = process.argv.slice(2);
  if (folder === undefined || (weights !== 'fp32' && weights !== 'int8')) {
    console.error('usage: random-clip.ts FOLDER [fp32|int8]');
    process.exitCode = 2;
  } else {
    console.log(randomClip(folder, weights));
  }
}
