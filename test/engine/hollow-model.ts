/**
 * Hollow models: real vocabularies on weights of zero. llama.cpp's sources carry the tokenisers of well-known models
 * without weights; here they get blocks of zeros to stand on, as a sparse file that takes no place on the disk. Good for
 * tokens, templates, and times, which do not depend on what the weights are.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VALUE_BYTES } from '../quantised.js';

/** The shape of a llama-architecture model. */
export interface HollowShape {
  readonly width: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly kvHeadCount: number;
  readonly feedForward: number;
}

export const SHAPES = {
  smallest: { width: 8, layerCount: 1, headCount: 1, kvHeadCount: 1, feedForward: 8 },
  '160m': { width: 768, layerCount: 12, headCount: 12, kvHeadCount: 12, feedForward: 3072 },
  '1.1b': { width: 2048, layerCount: 22, headCount: 32, kvHeadCount: 4, feedForward: 5632 },
  '7b': { width: 4096, layerCount: 32, headCount: 32, kvHeadCount: 32, feedForward: 11008 },
} as const satisfies Record<string, HollowShape>;

/** ggml's number of a tensor type, and its bytes per block of weights. */
const WEIGHT_TYPES = {
  f32: { number: 0, block: 1, bytes: 4 },
  f16: { number: 1, block: 1, bytes: 2 },
  q4_0: { number: 2, block: 32, bytes: 18 },
  q8_0: { number: 8, block: 32, bytes: 34 },
} as const;

export type HollowWeights = keyof typeof WEIGHT_TYPES;

const ALIGNMENT = 32;
const UINT32 = 4;
const FLOAT32 = 6;
const STRING = 8;
const ARRAY = 9;

let folder: string | undefined;
let sources: string | undefined;

export interface HollowOptions {
  /** As in llama.cpp's `models/ggml-vocab-NAME.gguf`; 'pairs': every two bytes merge, so that a word's end always shows. */
  readonly vocabulary: string;
  /** Takes the place of the vocabulary's own `tokenizer.ggml.pre`. */
  readonly preTokenizer?: string;
  readonly chatTemplate?: string;
  readonly shape?: HollowShape;
  readonly weights?: HollowWeights;
}

/** Path of the model's GGUF, gone when the process ends. */
export function hollowModel(options: HollowOptions): string {
  const { vocabulary, preTokenizer, chatTemplate, shape = SHAPES.smallest, weights = 'f32' } = options;
  const { keys, tokenCount } =
    vocabulary === 'pairs'
      ? pairKeys(preTokenizer ?? 'gpt-2')
      : tokenizerKeys(vocabularyFile(vocabulary), preTokenizer);
  const settings: Buffer[] = [
    key('general.architecture', STRING, text('llama')),
    key('general.name', STRING, text(`hollow ${vocabulary}`)),
    ...Object.entries({
      context_length: 4096,
      embedding_length: shape.width,
      block_count: shape.layerCount,
      feed_forward_length: shape.feedForward,
      'attention.head_count': shape.headCount,
      'attention.head_count_kv': shape.kvHeadCount,
      'rope.dimension_count': shape.width / shape.headCount,
      vocab_size: tokenCount,
    }).map(([setting, value]) => key(`llama.${setting}`, UINT32, uint32(value))),
    key('llama.attention.layer_norm_rms_epsilon', FLOAT32, float32(1e-5)),
    ...(chatTemplate === undefined ? [] : [key('tokenizer.chat_template', STRING, text(chatTemplate))]),
  ];
  const all = [...settings, ...keys];
  const { infos, bytes } = tensors(shape, tokenCount, weights);
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(3),
    uint64(infos.length),
    uint64(all.length),
    ...all,
    ...infos,
  ]);
  const path = join(temporaryFolder(), `${vocabulary}-${preTokenizer ?? 'own'}-${Date.now()}.gguf`);
  const handle = openSync(path, 'w');
  writeSync(handle, head);
  ftruncateSync(handle, Math.ceil(head.length / ALIGNMENT) * ALIGNMENT + bytes);
  closeSync(handle);
  return path;
}

function temporaryFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'eta-vlm-hollow-'));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

/** A file of llama.cpp's source. */
export function llamaSource(path: string): string {
  return execFileSync('git', ['show', `HEAD:${path}`], { cwd: llamaSources(), maxBuffer: 2 ** 26, encoding: 'utf8' });
}

/** The bare clone of the bundle that node-llama-cpp carries. */
function llamaSources(): string {
  if (sources === undefined) {
    const bundle = new URL('../../node_modules/node-llama-cpp/llama/gitRelease.bundle', import.meta.url);
    sources = join(temporaryFolder(), 'llama.cpp.git');
    execFileSync('git', ['clone', '--quiet', '--bare', fileURLToPath(bundle), sources], { stdio: 'ignore' });
  }
  return sources;
}

function vocabularyFile(name: string): Buffer {
  const path = `HEAD:models/ggml-vocab-${name}.gguf`;
  return execFileSync('git', ['show', path], { cwd: llamaSources(), maxBuffer: 2 ** 26 });
}

/** GPT-2's letters for the 256 bytes, and every two of them, joined in an order without a pattern. */
function pairKeys(preTokenizer: string): { keys: Buffer[]; tokenCount: number } {
  const letters: string[] = [];
  let others = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isItself = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    letters.push(String.fromCodePoint(isItself ? byte : others++));
  }
  const pairs = Array.from({ length: 2 ** 16 }, (_, rank) => {
    const mixed = (rank * 40_503 + 7) % 2 ** 16;
    return [letters[mixed >> 8] ?? '', letters[mixed & 255] ?? ''] as const;
  });
  const strings = (values: readonly string[]) =>
    Buffer.concat([uint32(STRING), uint64(values.length), ...values.map((value) => text(value))]);
  const tokens = [...letters, ...pairs.map(([left, right]) => left + right)];
  const keys = [
    key('tokenizer.ggml.model', STRING, text('gpt2')),
    key('tokenizer.ggml.pre', STRING, text(preTokenizer)),
    key('tokenizer.ggml.tokens', ARRAY, strings(tokens)),
    key('tokenizer.ggml.merges', ARRAY, strings(pairs.map((pair) => pair.join(' ')))),
  ];
  return { keys, tokenCount: tokens.length };
}

/** The keys of a GGUF that describe its tokeniser, as they stand in the file. */
function tokenizerKeys(file: Buffer, preTokenizer: string | undefined): { keys: Buffer[]; tokenCount: number } {
  const keys: Buffer[] = [];
  let tokenCount = 0;
  let at = 24;
  const skipString = () => {
    at += 8 + Number(file.readBigUInt64LE(at));
  };
  const skipValue = (type: number) => {
    if (type === STRING) skipString();
    else at += VALUE_BYTES[type] ?? Number.NaN;
  };
  for (let remaining = file.readBigUInt64LE(16); remaining > 0n; remaining--) {
    const start = at;
    skipString();
    const name = file.toString('utf8', start + 8, at);
    const type = file.readUInt32LE(at);
    at += 4;
    if (type === ARRAY) {
      const item = file.readUInt32LE(at);
      const count = Number(file.readBigUInt64LE(at + 4));
      at += 12;
      for (let index = 0; index < count; index++) skipValue(item);
      if (name === 'tokenizer.ggml.tokens') tokenCount = count;
    } else {
      skipValue(type);
    }
    if (name === 'tokenizer.ggml.pre' && preTokenizer !== undefined) continue;
    if (name.startsWith('tokenizer.') && name !== 'tokenizer.chat_template') keys.push(file.subarray(start, at));
  }
  if (preTokenizer !== undefined) keys.push(key('tokenizer.ggml.pre', STRING, text(preTokenizer)));
  return { keys, tokenCount };
}

function tensors(shape: HollowShape, tokenCount: number, weights: HollowWeights): { infos: Buffer[]; bytes: number } {
  const { width, feedForward } = shape;
  const kvWidth = (width / shape.headCount) * shape.kvHeadCount;
  const block = (layer: number): [string, number[]][] => [
    [`blk.${layer}.attn_norm`, [width]],
    [`blk.${layer}.attn_q`, [width, width]],
    [`blk.${layer}.attn_k`, [width, kvWidth]],
    [`blk.${layer}.attn_v`, [width, kvWidth]],
    [`blk.${layer}.attn_output`, [width, width]],
    [`blk.${layer}.ffn_norm`, [width]],
    [`blk.${layer}.ffn_gate`, [width, feedForward]],
    [`blk.${layer}.ffn_up`, [width, feedForward]],
    [`blk.${layer}.ffn_down`, [feedForward, width]],
  ];
  const shapes: [string, number[]][] = [
    ['token_embd', [width, tokenCount]],
    ['output_norm', [width]],
    ['output', [width, tokenCount]],
    ...Array.from({ length: shape.layerCount }, (_, layer) => block(layer)).flat(),
  ];
  let bytes = 0;
  const infos = shapes.map(([name, lengths]) => {
    const type = WEIGHT_TYPES[lengths.length === 1 ? 'f32' : weights];
    const offset = bytes;
    const count = lengths.reduce((product, length) => product * length, 1);
    bytes += Math.ceil(((count / type.block) * type.bytes) / ALIGNMENT) * ALIGNMENT;
    const dimensions = lengths.map(uint64);
    return Buffer.concat([
      text(`${name}.weight`),
      uint32(lengths.length),
      ...dimensions,
      uint32(type.number),
      uint64(offset),
    ]);
  });
  return { infos, bytes };
}

function key(name: string, type: number, value: Buffer): Buffer {
  return Buffer.concat([text(name), uint32(type), value]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
