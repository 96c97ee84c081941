/**
 * Random models of LLaVA-1.5's shape, language model and projector, as GGUF files: for what depends on sizes alone, memory
 * and time. They say nothing, and are never shipped.
 *
 *     node --import tsx bench/random-model.ts FOLDER [160m|1.1b|7b] [q4_0|q8_0|f16|f32]
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HollowShape, type HollowWeights, SHAPES } from '../test/engine/hollow-model.js';

/** ViT-L/14 at 336 pixels, as LLaVA-1.5 has it: 576 image tokens. */
const TOWER: RandomProjector = {
  width: 1024,
  blockCount: 24,
  headCount: 16,
  feedForward: 4096,
  imageSize: 336,
  patchSize: 14,
  type: 'f16',
};
const VOCABULARY_SIZE = 32_000;
const ALIGNMENT = 32;
/** Tensor data repeats after so many bytes, blocks of any type whole; each row of a matrix still differs from its neighbours. */
const PATTERN_BYTES = 8 * 18 * 34 * 35 * 29;

/** Number formats of random weights. */
export type Weights = HollowWeights | 'q4_k' | 'q6_k';

const TYPES: Readonly<Record<Weights, { readonly number: number; readonly block: number; readonly bytes: number }>> = {
  f32: { number: 0, block: 1, bytes: 4 },
  f16: { number: 1, block: 1, bytes: 2 },
  q4_0: { number: 2, block: 32, bytes: 18 },
  q8_0: { number: 8, block: 32, bytes: 34 },
  q4_k: { number: 12, block: 256, bytes: 144 },
  q6_k: { number: 14, block: 256, bytes: 210 },
};

interface Tensor {
  readonly name: string;
  /** The fastest dimension first, as GGUF has it. */
  readonly lengths: readonly number[];
  readonly type: Weights;
}

/** A language model in the llama architecture, whatever its sizes are taken from. */
export interface RandomLanguage extends HollowShape {
  readonly vocabularySize: number;
  /** Of a head. @default the width by the heads */
  readonly headSize?: number;
  /** Whether the output is the embedding again. */
  readonly isTied: boolean;
  /** Of each matrix, by its name: "blk.3.attn_v", "token_embd", "output". */
  typeOf(name: string): Weights;
  /** Words that are tokens of their own. @default none */
  readonly words?: readonly string[];
  readonly chatTemplate?: string;
}

/** A vision tower and what leads from it into the language model, in LLaVA's form. */
export interface RandomProjector {
  readonly width: number;
  readonly blockCount: number;
  readonly headCount: number;
  readonly feedForward: number;
  readonly imageSize: number;
  readonly patchSize: number;
  /** Of matrices whose rows it divides; the others have 16 bits. */
  readonly type: Weights;
}

/** Writes both files. @returns their paths */
export function randomModel(
  folder: string,
  shape: HollowShape,
  weights: HollowWeights,
): { readonly languageModel: string; readonly projector: string } {
  mkdirSync(folder, { recursive: true });
  const languageModel = join(folder, 'language-model.gguf');
  const projector = join(folder, 'projector.gguf');
  const language = { ...shape, vocabularySize: VOCABULARY_SIZE, isTied: false, typeOf: () => weights };
  writeLanguageModel(languageModel, language);
  writeProjector(projector, TOWER, shape.width);
  return { languageModel, projector };
}

export function writeLanguageModel(path: string, shape: RandomLanguage): void {
  write(path, languageKeys(shape), languageTensors(shape));
}

/** @param to width of the language model */
export function writeProjector(path: string, tower: RandomProjector, to: number): void {
  write(path, projectorKeys(tower, to), projectorTensors(tower, to));
}

function languageKeys(shape: RandomLanguage): Buffer[] {
  const { vocabularySize, headSize = shape.width / shape.headCount, words = [], chatTemplate } = shape;
  const pieces = ['<unk>', '<s>', '</s>'];
  for (let byte = 0; byte < 256; byte++) pieces.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  pieces.push(...words.map((word) => `\u2581${word}`));
  for (let index = pieces.length; index < vocabularySize; index++) pieces.push(`\u2581w${index}`);
  const kindOf = (index: number) => (index === 0 ? 2 : index < 3 ? 3 : index < 259 ? 6 : 1); // unknown, control, byte, normal
  return [
    key('general.architecture', string('llama')),
    key('general.name', string('random')),
    key('llama.context_length', uint32(4096)),
    key('llama.embedding_length', uint32(shape.width)),
    key('llama.block_count', uint32(shape.layerCount)),
    key('llama.feed_forward_length', uint32(shape.feedForward)),
    key('llama.attention.head_count', uint32(shape.headCount)),
    key('llama.attention.head_count_kv', uint32(shape.kvHeadCount)),
    key('llama.rope.dimension_count', uint32(headSize)),
    key('llama.attention.key_length', uint32(headSize)),
    key('llama.attention.value_length', uint32(headSize)),
    ...(chatTemplate === undefined ? [] : [key('tokenizer.chat_template', string(chatTemplate))]),
    key('llama.attention.layer_norm_rms_epsilon', float32(1e-5)),
    key('tokenizer.ggml.model', string('llama')),
    key('tokenizer.ggml.tokens', array(8, pieces.map(text))),
    key(
      'tokenizer.ggml.scores',
      array(
        6,
        pieces.map((_, index) => float32(-index).value),
      ),
    ),
    key(
      'tokenizer.ggml.token_type',
      array(
        5,
        pieces.map((_, index) => uint32(kindOf(index)).value),
      ),
    ),
    key('tokenizer.ggml.bos_token_id', uint32(1)),
    key('tokenizer.ggml.eos_token_id', uint32(2)),
  ];
}

function languageTensors(shape: RandomLanguage): Tensor[] {
  const { width, headCount, kvHeadCount, feedForward, layerCount, vocabularySize, isTied } = shape;
  const { headSize = width / headCount } = shape;
  const [queryWidth, kvWidth] = [headSize * headCount, headSize * kvHeadCount];
  const matrix = (name: string, from: number, to: number): Tensor => ({
    name,
    lengths: [from, to],
    type: shape.typeOf(name.replace('.weight', '')),
  });
  const norm = (name: string): Tensor => ({ name, lengths: [width], type: 'f32' });
  return [
    matrix('token_embd.weight', width, vocabularySize),
    norm('output_norm.weight'),
    ...(isTied ? [] : [matrix('output.weight', width, vocabularySize)]),
    ...Array.from({ length: layerCount }, (_, layer) => {
      const block = `blk.${layer}`;
      return [
        norm(`${block}.attn_norm.weight`),
        matrix(`${block}.attn_q.weight`, width, queryWidth),
        matrix(`${block}.attn_k.weight`, width, kvWidth),
        matrix(`${block}.attn_v.weight`, width, kvWidth),
        matrix(`${block}.attn_output.weight`, queryWidth, width),
        norm(`${block}.ffn_norm.weight`),
        matrix(`${block}.ffn_gate.weight`, width, feedForward),
        matrix(`${block}.ffn_up.weight`, width, feedForward),
        matrix(`${block}.ffn_down.weight`, feedForward, width),
      ];
    }).flat(),
  ];
}

function projectorKeys(tower: RandomProjector, to: number): Buffer[] {
  return [
    key('general.architecture', string('clip')),
    key('general.name', string('random projector')),
    key('clip.has_vision_encoder', { type: 7, value: Buffer.from([1]) }),
    key('clip.projector_type', string('mlp')),
    key('clip.vision.projection_dim', uint32(to)),
    key('clip.vision.image_size', uint32(tower.imageSize)),
    key('clip.vision.patch_size', uint32(tower.patchSize)),
    key('clip.vision.embedding_length', uint32(tower.width)),
    key('clip.vision.feed_forward_length', uint32(tower.feedForward)),
    key('clip.vision.block_count', uint32(tower.blockCount)),
    key('clip.vision.attention.head_count', uint32(tower.headCount)),
    key('clip.vision.attention.layer_norm_epsilon', float32(1e-5)),
    key(
      'clip.vision.image_mean',
      array(
        6,
        [0.48, 0.46, 0.41].map((value) => float32(value).value),
      ),
    ),
    key(
      'clip.vision.image_std',
      array(
        6,
        [0.27, 0.26, 0.28].map((value) => float32(value).value),
      ),
    ),
    key('clip.use_gelu', { type: 7, value: Buffer.from([0]) }),
  ];
}

function projectorTensors({ type, ...tower }: RandomProjector, to: number): Tensor[] {
  const { width, feedForward, imageSize, patchSize, blockCount } = tower;
  const vector = (name: string, length: number): Tensor => ({ name, lengths: [length], type: 'f32' });
  const linear = (name: string, rows: number, columns: number): Tensor[] => [
    { name: `${name}.weight`, lengths: [rows, columns], type: rows % TYPES[type].block === 0 ? type : 'f16' },
    vector(`${name}.bias`, columns),
  ];
  const norm = (name: string) => [vector(`${name}.weight`, width), vector(`${name}.bias`, width)];
  return [
    vector('v.class_embd', width),
    { name: 'v.patch_embd.weight', lengths: [patchSize, patchSize, 3, width], type: 'f16' },
    { name: 'v.position_embd.weight', lengths: [width, (imageSize / patchSize) ** 2 + 1], type: 'f32' },
    ...norm('v.pre_ln'),
    ...Array.from({ length: blockCount }, (_, layer) => [
      ...norm(`v.blk.${layer}.ln1`),
      ...norm(`v.blk.${layer}.ln2`),
      ...['attn_q', 'attn_k', 'attn_v', 'attn_out'].flatMap((name) => linear(`v.blk.${layer}.${name}`, width, width)),
      ...linear(`v.blk.${layer}.ffn_up`, width, feedForward),
      ...linear(`v.blk.${layer}.ffn_down`, feedForward, width),
    ]).flat(),
    ...linear('mm.0', width, to),
    ...linear('mm.2', to, to),
  ];
}

function write(path: string, keys: readonly Buffer[], tensors: readonly Tensor[]): void {
  const infos: Buffer[] = [];
  let offset = 0;
  for (const { name, lengths, type } of tensors) {
    infos.push(text(name), uint32(lengths.length).value, ...lengths.map(uint64), uint32(TYPES[type].number).value);
    infos.push(uint64(offset));
    offset += padded(bytesOf(lengths, type));
  }
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(3).value,
    uint64(tensors.length),
    uint64(keys.length),
    ...keys,
    ...infos,
  ]);
  const handle = openSync(path, 'w');
  try {
    writeSync(handle, Buffer.concat([head, Buffer.alloc(padded(head.length) - head.length)]));
    for (const { lengths, type } of tensors) {
      const bytes = bytesOf(lengths, type);
      for (let at = 0; at < padded(bytes); at += PATTERN_BYTES)
        writeSync(handle, pattern(type), 0, Math.min(PATTERN_BYTES, padded(bytes) - at));
    }
  } finally {
    closeSync(handle);
  }
}

const patterns = new Map<Weights, Buffer>();

/** Numbers of about 0.02 in size, in the bytes of a type. */
function pattern(type: Weights): Buffer {
  const known = patterns.get(type);
  if (known !== undefined) return known;
  const made = Buffer.alloc(PATTERN_BYTES);
  let state = 12_345;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
  const { bytes } = TYPES[type];
  for (let at = 0; at < PATTERN_BYTES; at += bytes) {
    if (type === 'f32') made.writeFloatLE((random() / 2 ** 24 - 0.5) / 25, at);
    else if (type === 'f16') made.writeUInt16LE(((random() & 1) << 15) | 0x2000 | (random() & 0x7ff), at);
    else if (type === 'q4_k' || type === 'q6_k') {
      for (let byte = 0; byte < bytes; byte++) made[at + byte] = random() & 0xff;
      const scales = type === 'q4_k' ? [0x0400, 0x1000] : [0x0150]; // some 6e-5 and 5e-4; 2e-5
      for (const [index, scale] of scales.entries())
        made.writeUInt16LE(scale, at + (type === 'q4_k' ? 0 : 208) + 2 * index);
    } else {
      made.writeUInt16LE(type === 'q4_0' ? 0x1800 : 0x0c00, at); // scale 2^-9 and 2^-12 as a 16-bit float
      for (let byte = 2; byte < bytes; byte++) made[at + byte] = random() & 0xff;
    }
  }
  patterns.set(type, made);
  return made;
}

function bytesOf(lengths: readonly number[], type: Weights): number {
  return (lengths.reduce((product, length) => product * length, 1) / TYPES[type].block) * TYPES[type].bytes;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

interface Value {
  readonly type: number;
  readonly value: Buffer;
}

function key(name: string, { type, value }: Value): Buffer {
  return Buffer.concat([text(name), uint32(type).value, value]);
}

function string(value: string): Value {
  return { type: 8, value: text(value) };
}

function array(type: number, values: readonly Buffer[]): Value {
  return { type: 9, value: Buffer.concat([uint32(type).value, uint64(values.length), ...values]) };
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Value {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return { type: 4, value: bytes };
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float32(value: number): Value {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return { type: 6, value: bytes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, size = '1.1b', weights = 'q8_0'] = process.argv.slice(2);
  const shape = Object.entries(SHAPES).find(([name]) => name === size)?.[1];
  if (folder === undefined || shape === undefined || !(weights in TYPES)) {
    console.error('usage: random-model.ts FOLDER [160m|1.1b|7b] [q4_0|q8_0|f16|f32]');
    process.exitCode = 2;
  } else {
    console.log(randomModel(folder, shape, weights as HollowWeights));
  }
}
