/** The GGUF of a reward model's layers, held against the checkpoint that it should be of; heads of files are read, no weights. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { type GgufFile, readGguf } from '../models/gguf-file.js';
import { languageShape } from '../models/model-shape.js';
import { readRegularText } from '../regular-file.js';

/** The coarsest number format of a trunk's matrices, on which depends what its self-test may be off by. */
export type TrunkType = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'other';

/** ggml's numbers of types, the coarsest first. */
const FORMATS: readonly (readonly [number, TrunkType])[] = [
  [8, 'q8_0'],
  [30, 'bf16'],
  [1, 'f16'],
  [0, 'f32'],
];

/** Decoders that can be split, and what llama.cpp calls them. */
const ARCHITECTURES: Readonly<Record<string, string>> = { llama: 'llama', qwen2: 'qwen2', qwen3: 'qwen3' };

const count = z.number().optional();
const configSchema = z.object({
  model_type: z.string(),
  num_hidden_layers: count,
  hidden_size: count,
  intermediate_size: count,
  num_attention_heads: count,
  vocab_size: count,
});

/**
 * Whether the GGUF can be of the checkpoint's layers: architecture and shape; that it is of them, the self-test shows.
 *
 * @param trunk path of the GGUF
 * @param checkpoint the Hugging Face folder
 * @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID, ERR_MODEL_MISMATCH; ERR_CONVERT for a checkpoint that
 *   cannot be split
 */
export async function examineTrunk(trunk: string, checkpoint: string): Promise<TrunkType> {
  const config = await readConfig(checkpoint);
  const architecture = ARCHITECTURES[config.model_type];
  if (architecture === undefined)
    throw new ModelError(
      'ERR_CONVERT',
      `Expected a decoder (${Object.keys(ARCHITECTURES).join(', ')}) beside a trunk, received ${config.model_type} in ${checkpoint}. It cannot be split: convert it without a trunk.`,
    );
  const kind = await stat(trunk).then(
    (found) => (found.isFile() ? 'file' : 'something else'),
    () => 'nothing there',
  );
  if (kind !== 'file')
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected the trunk, a GGUF file, at ${trunk}, received ${kind}. Check the path.`,
    );
  const file = await readGguf(trunk);
  const parts = file.values.get('split.count');
  if (typeof parts === 'number' && parts > 1)
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `Expected the trunk in one file, received a part of ${parts} in ${trunk}. Join them with llama.cpp's llama-gguf-split --merge.`,
    );
  compare(file, architecture, config);
  return formatOf(file);
}

async function readConfig(checkpoint: string): Promise<z.output<typeof configSchema>> {
  const path = join(checkpoint, 'config.json');
  const text = await readRegularText(path).catch((cause: unknown) => {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a Hugging Face model folder with a config.json, found none at ${path}. Check the path.`,
      { cause },
    );
  });
  try {
    return configSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `Expected the JSON of a Hugging Face model with its model_type in ${path}, received something else. Fetch it again.`,
      { cause },
    );
  }
}

/** All that differs is told at once. */
function compare(file: GgufFile, architecture: string, config: z.output<typeof configSchema>): void {
  const mismatch = (expected: string, received: string) =>
    new ModelError(
      'ERR_MODEL_MISMATCH',
      `Expected a GGUF of the checkpoint's layers (${expected}), received ${received} in ${file.path}. Name the one that was made from this checkpoint.`,
    );
  const found = file.values.get('general.architecture');
  if (found !== architecture)
    throw mismatch(`architecture ${architecture}`, typeof found === 'string' ? found : 'no architecture');
  const shape = languageShape(file);
  const rows: readonly (readonly [name: string, expected: number | undefined, received: number])[] = [
    ['layers', config.num_hidden_layers, shape.layerCount],
    ['hidden size', config.hidden_size, shape.width],
    ['feed-forward size', config.intermediate_size, shape.feedForward],
    ['attention heads', config.num_attention_heads, shape.headCount],
    ['vocabulary', config.vocab_size, shape.vocabularySize],
  ];
  const wrong = rows.filter(([, expected, received]) => expected !== undefined && expected !== received);
  if (wrong.length === 0) return;
  const list = (side: 1 | 2) => wrong.map((row) => `${row[0]} ${row[side]}`).join(', ');
  throw mismatch(list(1), list(2));
}

/** Of all that is computed with; norms, in F32 always, are the finest. A language model's output is not read. */
function formatOf({ tensors }: GgufFile): TrunkType {
  const types = new Set(tensors.filter(({ name }) => name !== 'output.weight').map(({ type }) => type));
  if ([...types].some((type) => FORMATS.every(([known]) => known !== type))) return 'other';
  return FORMATS.find(([type]) => types.has(type))?.[1] ?? 'other';
}
