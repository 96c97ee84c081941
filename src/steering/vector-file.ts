/**
 * A safety vector as a file: llama.cpp's control vector, a GGUF with one tensor `direction.LAYER`. llama.cpp's own programs take
 * it (`--control-vector`).
 */
import { open } from 'node:fs/promises';
import { FileError, ModelError } from '../errors.js';
import { readGguf } from '../models/index.js';
import { describe, describePath } from '../options.js';
import { type FileEnds, writeWhole } from '../outputs/index.js';
import type { SafetyVector, VectorHome } from './vector.js';

const ARCHITECTURE = 'controlvector';
const DIRECTION = /^direction\.([1-9]\d{0,5})$/;
/** GGUF's number of a value that is a text, and of a whole number of 32 bits; ggml's of 32-bit floats. */
const [TEXT, INTEGER, F32] = [8, 5, 0] as const;
/** Where tensors begin. */
const ALIGNMENT = 32;

const REMEDY = "Make one with 'eta-vlm steer'.";

/** The model of a language model's file. @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID */
export async function vectorHome(languageModel: string): Promise<VectorHome> {
  const { values } = await readGguf(languageModel);
  const architecture = String(values.get('general.architecture'));
  const [embeddingSize, layerCount] = ['embedding_length', 'block_count'].map((name) =>
    Number(values.get(`${architecture}.${name}`)),
  );
  if (embeddingSize && layerCount) return { architecture, embeddingSize, layerCount };
  throw new ModelError(
    'ERR_MODEL_INVALID',
    `Expected a language model in ${describePath(languageModel)}, received another GGUF (${describe(architecture)}). Name the GGUF that makes the text.`,
  );
}

/**
 * The vector in a file, for this model.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND; ERR_MODEL_INVALID for what is no safety vector; ERR_MODEL_MISMATCH for that of
 * another model
 */
export async function readVector(path: string, home: VectorHome): Promise<SafetyVector> {
  const { values, tensors } = await readGguf(path);
  const invalid = (expected: string, received: string) =>
    new ModelError(
      'ERR_MODEL_INVALID',
      `Expected a safety vector in ${describePath(path)}: ${expected}; received ${received}. ${REMEDY}`,
    );
  const kind = values.get('general.architecture');
  if (kind !== ARCHITECTURE) throw invalid(`a GGUF of architecture '${ARCHITECTURE}'`, `one of ${describe(kind)}`);
  const [tensor, ...others] = tensors;
  const layer = Number(DIRECTION.exec(tensor?.name ?? '')?.[1]);
  if (tensor === undefined || others.length > 0 || Number.isNaN(layer)) {
    const received = tensors.length === 1 ? describe(tensor?.name) : `${tensors.length} tensors`;
    throw invalid('one direction, of one layer (direction.LAYER)', received);
  }
  const [length = 0, ...more] = tensor.shape;
  if (tensor.type !== F32 || more.some((size) => size !== 1) || tensor.sizeBytes < 4 * length)
    throw invalid('numbers of 32 bits in one row', `type ${tensor.type} in ${tensor.shape.join(' x ')}`);
  checkHome({ path, architecture: values.get(`${ARCHITECTURE}.model_hint`), length, layer }, home);
  const numbers = await floatsAt(path, tensor.offset, length);
  if (!numbers.every(Number.isFinite) || numbers.every((value) => value === 0))
    throw invalid('finite numbers that are not all 0', 'others');
  return { layer, values: numbers };
}

/** @throws ModelError ERR_MODEL_MISMATCH */
function checkHome(
  found: { readonly path: string; readonly architecture: unknown; readonly length: number; readonly layer: number },
  { architecture, embeddingSize, layerCount }: VectorHome,
): void {
  const mismatch = (expected: string, received: string) =>
    new ModelError(
      'ERR_MODEL_MISMATCH',
      `Expected a safety vector of this model in ${describePath(found.path)}: ${expected}; received ${received}. A vector belongs to the model that it was made of. ${REMEDY}`,
    );
  if (found.architecture !== architecture)
    throw mismatch(`of architecture ${describe(architecture)}`, `one of ${describe(found.architecture)}`);
  if (found.length !== embeddingSize) throw mismatch(`${embeddingSize} numbers`, String(found.length));
  if (found.layer >= layerCount) throw mismatch(`a layer from 1 to ${layerCount - 1}`, `one for layer ${found.layer}`);
}

async function floatsAt(path: string, offset: number, length: number): Promise<Float32Array> {
  const handle = await open(path);
  try {
    const bytes = Buffer.alloc(4 * length);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
    if (bytesRead < bytes.length)
      throw new FileError(
        'ERR_FILE_READ',
        `Expected ${bytes.length} bytes of a safety vector in ${describePath(path)}, which ends before them. Make it again.`,
      );
    return Float32Array.from({ length }, (_, at) => bytes.readFloatLE(4 * at));
  } finally {
    await handle.close();
  }
}

/** Whether a file that begins so is one, which another may take the place of. */
export function isVectorFile({ head }: FileEnds): boolean {
  return head.startsWith('GGUF') && head.includes(`${ARCHITECTURE}.model_hint`);
}

/** @throws FileError ERR_FILE_WRITE; UsageError ERR_INVALID_OPTION for a folder, a device or a pipe */
export async function writeVector(
  path: string,
  vector: SafetyVector,
  { architecture }: Pick<VectorHome, 'architecture'>,
): Promise<void> {
  await writeWhole(path, async (draft) => await draft.writeFile(vectorBytes(vector, architecture)));
}

function vectorBytes({ layer, values }: SafetyVector, architecture: string): Buffer {
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    number32(3), // version
    number64(1), // tensors
    number64(3), // settings
    text('general.architecture'),
    number32(TEXT),
    text(ARCHITECTURE),
    text(`${ARCHITECTURE}.model_hint`),
    number32(TEXT),
    text(architecture),
    text(`${ARCHITECTURE}.layer_count`),
    number32(INTEGER),
    number32(1),
    text(`direction.${layer}`),
    number32(1), // dimensions
    number64(values.length),
    number32(F32),
    number64(0), // behind the head
  ]);
  const numbers = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) numbers.writeFloatLE(value, 4 * at);
  return Buffer.concat([head, Buffer.alloc(padding(head.length)), numbers, Buffer.alloc(padding(numbers.length))]);
}

function padding(byteCount: number): number {
  return (ALIGNMENT - (byteCount % ALIGNMENT)) % ALIGNMENT;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number64(bytes.length), bytes]);
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function number64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
