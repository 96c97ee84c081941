/** The head of a GGUF file: its keys, and where each tensor lies. Nothing of the weights is read. */
import { open, stat } from 'node:fs/promises';
import { ModelError } from '../errors.js';

export interface GgufTensor {
  readonly name: string;
  /** ggml's number of its type: 0 = F32, 1 = F16, 2 = Q4_0, 12 = Q4_K, … */
  readonly type: number;
  /** Its dimensions, the innermost first. */
  readonly shape: readonly number[];
  /** Where it begins in its file. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A value of the head; arrays of texts are known by their length alone. */
export type GgufValue = number | boolean | string | readonly number[] | { readonly length: number };

export interface GgufFile {
  readonly path: string;
  readonly values: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
}

/** Head bytes read at first; vocabularies make heads of up to some 20 MB. */
const FIRST_BYTES = 2 ** 20;
const MOST_BYTES = 2 ** 28;
/** Arrays of numbers that are kept: per-layer settings, not vocabularies. */
const KEPT_ITEMS = 1024;

const STRING = 8;
const ARRAY = 9;
/** GGUF's numbers of value types: bytes of each, and how they are read. */
const READERS: Readonly<
  Record<number, readonly [bytes: number, read: (view: DataView, at: number) => number | boolean]>
> = {
  0: [1, (view, at) => view.getUint8(at)],
  1: [1, (view, at) => view.getInt8(at)],
  2: [2, (view, at) => view.getUint16(at, true)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [4, (view, at) => view.getUint32(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getFloat32(at, true)],
  7: [1, (view, at) => view.getUint8(at) !== 0],
  10: [8, (view, at) => Number(view.getBigUint64(at, true))],
  11: [8, (view, at) => Number(view.getBigInt64(at, true))],
  12: [8, (view, at) => view.getFloat64(at, true)],
};

/**
 * The head, and those of its other parts where the model is split (name-00001-of-00003.gguf), as one.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND; ERR_MODEL_INVALID for what is no GGUF of version 2 or 3
 */
export async function readGguf(path: string): Promise<GgufFile> {
  const first = await readHead(path);
  const count = first.values.get('split.count');
  const numbered = /^(.*-)(\d{5})(-of-\d{5}\.gguf)$/.exec(path);
  if (typeof count !== 'number' || count < 2 || numbered === null) return first;
  const [, before = '', own = '', behind = ''] = numbered;
  const tensors = [...first.tensors];
  for (let part = 1; part <= count; part++) {
    const number = String(part).padStart(5, '0');
    if (number === own) continue;
    for (const tensor of (await readHead(`${before}${number}${behind}`)).tensors) tensors.push(tensor);
  }
  return { ...first, tensors };
}

async function readHead(path: string): Promise<GgufFile> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new ModelError('ERR_MODEL_NOT_FOUND', `Expected a GGUF file at ${path}, found none. Check the path.`, {
      cause,
    });
  });
  if (!found.isFile())
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `Expected a GGUF file at ${path}, received a folder, a pipe or a device.`,
    );
  const file = await open(path);
  try {
    return await ggufHead({
      path,
      sizeBytes: found.size,
      start: async (byteCount) => {
        const bytes = Buffer.alloc(byteCount);
        await file.read(bytes, 0, byteCount, 0);
        return bytes;
      },
    });
  } finally {
    await file.close();
  }
}

/** A GGUF that lies somewhere: here, or on a hub. */
export interface GgufSource {
  readonly path: string;
  readonly sizeBytes: number;
  /** Its first bytes. */
  readonly start: (byteCount: number) => Promise<Buffer>;
}

/** As {@link readGguf}, of a part that may be on a hub; the tensors of other parts are not looked for. */
export async function ggufHead({ path, sizeBytes, start }: GgufSource): Promise<GgufFile> {
  for (let length = FIRST_BYTES; ; length *= 8) {
    const bytes = await start(Math.min(length, sizeBytes, MOST_BYTES));
    try {
      return { path, ...parse(bytes, sizeBytes) };
    } catch (cause) {
      if (cause instanceof RangeError && bytes.length < Math.min(sizeBytes, MOST_BYTES)) continue; // the head goes on
      throw new ModelError(
        'ERR_MODEL_INVALID',
        `Expected a GGUF file of version 2 or 3 at ${path}, received something else, or a part of one. Fetch it again.`,
        { cause },
      );
    }
  }
}

/** @throws RangeError where the bytes end too early, or say what cannot be */
function parse(bytes: Buffer, fileBytes: number): Omit<GgufFile, 'path'> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.toString('latin1', 0, 4) !== 'GGUF' || ![2, 3].includes(view.getUint32(4, true)))
    throw new TypeError('no GGUF');
  let at = 24;
  const number = (type: number): number | boolean => {
    const reader = READERS[type];
    if (reader === undefined) throw new TypeError(`value type ${type}`);
    at += reader[0];
    return reader[1](view, at - reader[0]);
  };
  const count = () => Number(number(10));
  const text = () => {
    const length = count();
    if (at + length > bytes.length) throw new RangeError('text');
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const value = (): GgufValue => {
    const type = Number(number(4));
    if (type === STRING) return text();
    if (type !== ARRAY) return number(type);
    const itemType = Number(number(4));
    const length = count();
    if (itemType === STRING) {
      for (let item = 0; item < length; item++) text();
      return { length };
    }
    const itemBytes = READERS[itemType]?.[0];
    if (itemBytes === undefined) throw new TypeError(`array of type ${itemType}`);
    if (length <= KEPT_ITEMS) return Array.from({ length }, () => Number(number(itemType)));
    at += length * itemBytes;
    return { length };
  };
  const tensorCount = Number(view.getBigUint64(8, true));
  const values = new Map<string, GgufValue>();
  for (let left = Number(view.getBigUint64(16, true)); left > 0; left--) {
    const name = text();
    values.set(name, value());
  }
  const places: Omit<GgufTensor, 'sizeBytes'>[] = [];
  for (let left = tensorCount; left > 0; left--) {
    const name = text();
    const shape: number[] = [];
    for (let dimensions = Number(number(4)); dimensions > 0; dimensions--) shape.push(count());
    const type = Number(number(4));
    places.push({ name, type, shape, offset: count() });
  }
  const alignment = Number(values.get('general.alignment') ?? 32);
  const dataStart = Math.ceil(at / alignment) * alignment;
  // Tensors lie one behind the other: each ends where the next begins, whatever its type.
  const inOrder = [...places].sort((a, b) => a.offset - b.offset);
  const tensors = inOrder.map((place, index) => ({
    ...place,
    offset: dataStart + place.offset,
    sizeBytes: (inOrder[index + 1]?.offset ?? fileBytes - dataStart) - place.offset,
  }));
  if (tensors.some(({ sizeBytes }) => sizeBytes < 0)) throw new TypeError('tensors beyond the end of the file');
  return { values, tensors };
}
