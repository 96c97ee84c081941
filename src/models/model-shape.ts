/** What the memory of a language model, or of a projector, depends on, read from the head of its GGUF. */
import { ModelError } from '../errors.js';
import type { GgufFile, GgufTensor, GgufValue } from './gguf-file.js';

export interface LanguageShape {
  readonly name: string;
  readonly architecture: string;
  readonly layerCount: number;
  readonly width: number;
  readonly feedForward: number;
  readonly headCount: number;
  readonly vocabularySize: number;
  /** Positions it was trained for; 0 = not said. */
  readonly trainedContextLength: number;
  /** Values of one KV cell, layer by layer; 0 for a layer without attention. */
  readonly cellValues: readonly number[];
  /** 32-bit values that each sequence keeps beside the cells, layer by layer: recurrent memory. */
  readonly stateValues: readonly number[];
  /** Whether some layers see a sliding window: each kind has a mask of its own. */
  readonly hasWindow: boolean;
  /** Bytes of each layer's weights. */
  readonly layerBytes: readonly number[];
  /** Bytes of the token embeddings, and of the output: a projection of its own, or the embeddings again. */
  readonly embeddingBytes: number;
  readonly outputBytes: number;
  readonly sharesEmbedding: boolean;
  /** Bytes of each layer's matrices, and of the output's, by ggml's number of their type. */
  readonly layerTypes: readonly TypeBytes[];
  readonly outputTypes: TypeBytes;
}

export type TypeBytes = Readonly<Record<number, number>>;

export interface ProjectorShape {
  readonly weightBytes: number;
  readonly patchCount: number;
  readonly width: number;
  readonly feedForward: number;
}

/** @throws ModelError ERR_MODEL_INVALID when the head lacks what every language model has */
export function languageShape(file: GgufFile): LanguageShape {
  const { values, tensors } = file;
  const architecture = textOf(values.get('general.architecture')) ?? '';
  const setting: Setting = (name) => values.get(`${architecture}.${name}`);
  const layerCount = numberOf(setting('block_count'));
  const width = numberOf(setting('embedding_length'));
  if (layerCount === undefined || width === undefined || layerCount < 1 || layerCount > 10_000) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `Expected a language model in ${file.path}, received a GGUF of architecture '${architecture}' without layers. ` +
        'Name the file of the language model; a projector goes to the projector option.',
    );
  }
  const tokens = values.get('tokenizer.ggml.tokens');
  return {
    name: textOf(values.get('general.name')) ?? '',
    architecture,
    layerCount,
    width,
    feedForward: Math.max(...perLayer(setting('feed_forward_length'), layerCount, 4 * width)),
    vocabularySize:
      numberOf(setting('vocab_size')) ?? (Array.isArray(tokens) || typeof tokens === 'object' ? tokens.length : 0),
    trainedContextLength: numberOf(setting('context_length')) ?? 0,
    hasWindow: (numberOf(setting('attention.sliding_window')) ?? 0) > 0,
    ...rememberedShape(setting, tensors, { layerCount, width }),
    ...weightShape(tensors, layerCount),
  };
}

/** A key of the head that belongs to the architecture: "block_count" is `llama.block_count`. */
type Setting = (name: string) => GgufValue | undefined;

/** A setting that is one number for all layers, or a list of theirs. */
function perLayer(value: GgufValue | undefined, layerCount: number, otherwise: number): number[] {
  return Array.from({ length: layerCount }, (_, layer) =>
    Array.isArray(value) ? (value[layer] ?? otherwise) : (numberOf(value) ?? otherwise),
  );
}

/** What layers keep of the tokens before. */
function rememberedShape(
  setting: Setting,
  tensors: readonly GgufTensor[],
  { layerCount, width }: Pick<LanguageShape, 'layerCount' | 'width'>,
): Pick<LanguageShape, 'headCount' | 'cellValues' | 'stateValues'> {
  const headCount = Math.max(1, ...perLayer(setting('attention.head_count'), layerCount, 1));
  const keyWidth = numberOf(setting('attention.key_length')) ?? width / headCount;
  const valueWidth = numberOf(setting('attention.value_length')) ?? width / headCount;
  const recurrent = recurrentValues(setting);
  const holds = (layer: number, part: string) => tensors.some(({ name }) => name.startsWith(`blk.${layer}.${part}`));
  // Linear attention has its query, key and value in one matrix, beside the tensors of its state.
  const remembers = (layer: number) => holds(layer, 'ssm_');
  const attends = (layer: number) => holds(layer, 'attn_k') || (holds(layer, 'attn_qkv') && !remembers(layer));
  const cellValues = perLayer(setting('attention.head_count_kv'), layerCount, headCount).map((count, layer) =>
    attends(layer) ? count * (keyWidth + valueWidth) : 0,
  );
  return { headCount, cellValues, stateValues: cellValues.map((_, layer) => (remembers(layer) ? recurrent : 0)) };
}

type WeightShape = Pick<
  LanguageShape,
  'layerBytes' | 'embeddingBytes' | 'outputBytes' | 'sharesEmbedding' | 'layerTypes' | 'outputTypes'
>;

function weightShape(tensors: readonly GgufTensor[], layerCount: number): WeightShape {
  const bytesOf = (matches: (name: string) => boolean) =>
    tensors.reduce((sum, { name, sizeBytes }) => sum + (matches(name) ? sizeBytes : 0), 0);
  const ofLayers = Array.from({ length: layerCount }, (_, layer) => (name: string) => name.startsWith(`blk.${layer}.`));
  const layerBytes = ofLayers.map(bytesOf);
  const embeddingBytes = bytesOf((name) => name.startsWith('token_embd.') || name.startsWith('per_layer_token_embd.'));
  const sharesEmbedding = !tensors.some(({ name }) => name === 'output.weight');
  const others = bytesOf(() => true) - embeddingBytes - layerBytes.reduce((sum, bytes) => sum + bytes, 0);
  return {
    layerBytes,
    embeddingBytes,
    outputBytes: others + (sharesEmbedding ? embeddingBytes : 0),
    sharesEmbedding,
    layerTypes: ofLayers.map((matches) => typesOf(tensors, matches)),
    outputTypes: typesOf(tensors, (name) => name === (sharesEmbedding ? 'token_embd.weight' : 'output.weight')),
  };
}

function typesOf(tensors: readonly GgufTensor[], matches: (name: string) => boolean): TypeBytes {
  const bytes: Record<number, number> = {};
  for (const { name, type, sizeBytes } of tensors) if (matches(name)) bytes[type] = (bytes[type] ?? 0) + sizeBytes;
  return bytes;
}

/** Convolution and state of a Mamba-like layer; 0 for a model without. */
function recurrentValues(setting: Setting): number {
  const [kernel, inner, state, groups] = ['conv_kernel', 'inner_size', 'state_size', 'group_count'].map((name) =>
    numberOf(setting(`ssm.${name}`)),
  );
  if (kernel === undefined || inner === undefined || state === undefined) return 0;
  return Math.max(0, kernel - 1) * (inner + 2 * (groups ?? 0) * state) + state * inner;
}

/** @throws ModelError ERR_MODEL_INVALID when it is no projector */
export function projectorShape(file: GgufFile): ProjectorShape {
  const { values, tensors } = file;
  const setting = (name: string) => numberOf(values.get(`clip.vision.${name}`));
  const [imageSize, patchSize, width] = [setting('image_size'), setting('patch_size'), setting('embedding_length')];
  if (imageSize === undefined || patchSize === undefined || width === undefined) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `Expected a projector (mmproj) in ${file.path}, received another GGUF. Use the projector that was made for this language model.`,
    );
  }
  return {
    weightBytes: tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    patchCount: Math.ceil(imageSize / patchSize) ** 2 + 1,
    width,
    feedForward: setting('feed_forward_length') ?? 4 * width,
  };
}

function numberOf(value: GgufValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function textOf(value: GgufValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
