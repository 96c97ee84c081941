/**
 * A random CLIP of real size in 8 bits, as two ONNX graphs that a published one would have: ViT-L/14 at 336 and its text
 * tower, quantised as transformers.js quantises (weights in 8 bits, activations as they come). For memory alone: it has no
 * norms and no biases, and says nothing.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VISION = { width: 1024, heads: 16, layers: 24, tokens: 576, patch: 588 } as const;
const TEXT = { width: 768, heads: 12, layers: 12, vocabulary: 49_408 } as const;
const [FLOAT, UINT8, INT8, INT64] = [1, 2, 3, 7] as const;
const EMBEDDING = 768;
const FORM = fileURLToPath(new URL('../test/golden/evaluators/formats/vit-l-14-336/tokenizer.json', import.meta.url));

/** Into a folder as transformers.js has them. */
export function randomClip(folder: string): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  writeFileSync(join(folder, 'onnx', 'vision_model_quantized.onnx'), visionGraph());
  writeFileSync(join(folder, 'onnx', 'text_model_quantized.onnx'), textGraph());
  copyFileSync(FORM, join(folder, 'tokenizer.json'));
  writeFileSync(join(folder, 'config.json'), '{"model_type":"clip","text_config":{}}');
  const thirds = [0.5, 0.5, 0.5];
  const pictures = { size: 336, crop_size: 336, resample: 3, image_mean: thirds, image_std: thirds };
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(pictures));
}

function visionGraph(): Buffer {
  const graph = new Graph();
  const { width, heads, layers, tokens, patch } = VISION;
  let x = graph.reshape('pixel_values', [tokens, patch]);
  x = graph.quantised(x, patch, width);
  for (let layer = 0; layer < layers; layer++) x = graph.block(x, width, heads);
  return graph.file(graph.pooled(x, width, 'image_embeds'), {
    name: 'pixel_values',
    type: FLOAT,
    dims: [1, 3, 336, 336],
  });
}

function textGraph(): Buffer {
  const graph = new Graph();
  const { width, heads, layers, vocabulary } = TEXT;
  const table = graph.tensor(UINT8, [vocabulary, width], random(vocabulary * width));
  const rows = graph.node('Gather', [table, graph.reshape('input_ids', [-1])]);
  let x = graph.node('DequantizeLinear', [rows, graph.scalar(0.001), graph.tensor(UINT8, [], Buffer.from([128]))]);
  for (let layer = 0; layer < layers; layer++) x = graph.block(x, width, heads);
  return graph.file(graph.pooled(x, width, 'text_embeds'), {
    name: 'input_ids',
    type: INT64,
    dims: ['batch', 'length'],
  });
}

interface Input {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly (number | string)[];
}

class Graph {
  readonly #nodes: Buffer[] = [];
  readonly #tensors: Buffer[] = [];
  #count = 0;

  node(operator: string, inputs: readonly string[], attributes: readonly Buffer[] = [], outputs = 1): string {
    const names = Array.from({ length: outputs }, (_, at) => `t${this.#count}_${at}`);
    this.#count += 1;
    this.#nodes.push(
      message([
        ...inputs.map((input) => field(1, text(input))),
        ...names.map((name) => field(2, text(name))),
        field(4, text(operator)),
        ...attributes.map((attribute) => field(5, attribute)),
      ]),
    );
    return names[0] as string;
  }

  tensor(type: number, dims: readonly number[], data: Buffer): string {
    const name = `w${this.#tensors.length}`;
    const shape = dims.map((size) => field(1, size));
    this.#tensors.push(message([...shape, field(2, type), field(8, text(name)), field(9, data)]));
    return name;
  }

  scalar(value: number): string {
    const data = Buffer.alloc(4);
    data.writeFloatLE(value);
    return this.tensor(FLOAT, [], data);
  }

  reshape(x: string, dims: readonly number[]): string {
    const data = Buffer.alloc(8 * dims.length);
    for (const [at, size] of dims.entries()) data.writeBigInt64LE(BigInt(size), 8 * at);
    return this.node('Reshape', [x, this.tensor(INT64, [dims.length], data)]);
  }

  /** [n, from] to [n, to], in integers. */
  quantised(x: string, from: number, to: number): string {
    const rows = this.node('DynamicQuantizeLinear', [x], [], 3);
    const [scale, zero] = [rows.replace(/_0$/, '_1'), rows.replace(/_0$/, '_2')];
    const weights = this.tensor(INT8, [from, to], random(from * to));
    const product = this.node('MatMulInteger', [rows, weights, zero]);
    const values = this.node('Cast', [product], [integer('to', FLOAT)]);
    return this.node('Mul', [this.node('Mul', [values, scale]), this.scalar(0.0005)]);
  }

  /** Attention and feed-forward, each beside what it was given. */
  block(x: string, width: number, heads: number): string {
    const split = (of: string, order: readonly number[]) =>
      this.node('Transpose', [this.reshape(of, [-1, heads, width / heads])], [integers('perm', order)]);
    const [query, key, value] = [0, 1, 2].map(() => this.quantised(x, width, width)) as [string, string, string];
    const scores = this.node('MatMul', [split(query, [1, 0, 2]), split(key, [1, 2, 0])]);
    const seen = this.node('MatMul', [this.node('Softmax', [scores]), split(value, [1, 0, 2])]);
    const joined = this.reshape(this.node('Transpose', [seen], [integers('perm', [1, 0, 2])]), [-1, width]);
    const attended = this.node('Add', [x, this.quantised(joined, width, width)]);
    const wide = this.node('Tanh', [this.quantised(attended, width, 4 * width)]);
    return this.node('Tanh', [this.node('Add', [attended, this.quantised(wide, 4 * width, width)])]);
  }

  pooled(x: string, width: number, name: string): string {
    const mean = this.node('ReduceMean', [x], [integers('axes', [0])]);
    this.#nodes.push(
      message([
        field(1, text(this.quantised(mean, width, EMBEDDING))),
        field(2, text(name)),
        field(4, text('Identity')),
      ]),
    );
    return name;
  }

  file(output: string, { name, type, dims }: Input): Buffer {
    const value = (called: string, kind: number, sizes: readonly (number | string)[]) => {
      const shape = sizes.map((size) =>
        field(1, message([typeof size === 'number' ? field(1, size) : field(2, text(size))])),
      );
      return message([
        field(1, text(called)),
        field(2, message([field(1, message([field(1, kind), field(2, message(shape))]))])),
      ]);
    };
    const graph = message([
      ...this.#nodes.map((node) => field(1, node)),
      field(2, text('random')),
      ...this.#tensors.map((tensor) => field(5, tensor)),
      field(11, value(name, type, dims)),
      field(12, value(output, FLOAT, [1, EMBEDDING])),
    ]);
    return message([field(1, 8), field(7, graph), field(8, message([field(2, 13)]))]);
  }
}

/** Bytes without a pattern that a loader could share. */
function random(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = length;
  for (let at = 0; at + 4 <= length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
}

function integer(name: string, value: number): Buffer {
  return message([field(1, text(name)), field(3, value), field(20, 2)]);
}

function integers(name: string, values: readonly number[]): Buffer {
  return message([field(1, text(name)), ...values.map((value) => field(8, value)), field(20, 7)]);
}

/** A field of a protobuf message: a number as a varint, bytes with their length. */
function field(number: number, content: number | Buffer): Buffer {
  if (typeof content === 'number') return Buffer.concat([varint(number * 8), varint(content)]);
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function message(fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function text(value: string): Buffer {
  return Buffer.from(value);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
