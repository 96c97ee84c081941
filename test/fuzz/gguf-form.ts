/** A GGUF file as its parts, to change some and write it again: version 3, little-endian. */

const STRING = 8;
const ARRAY = 9;
const WIDTH: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
/** Types of single numbers: of 8, 16, 32 bits, float, boolean, 64 bits, double. */
export const NUMBER_TYPES = Object.keys(WIDTH).map(Number);

export interface GgufKey {
  name: string;
  type: number;
  /** Of an array. */
  itemType: number;
  /** Of an array as it says, which a mutation may change alone. */
  itemCount: bigint;
  /** The value, or the items one behind the other, as they stand in the file. */
  bytes: Buffer;
}

interface GgufTensorPart {
  name: string;
  dims: bigint[];
  type: number;
  offset: bigint;
}

export interface GgufForm {
  keys: GgufKey[];
  tensors: GgufTensorPart[];
  /** Behind the head, from its aligned end. */
  data: Buffer;
}

const ALIGNMENT = 32;

class Reader {
  at = 0;
  readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  u32(): number {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }
  u64(): bigint {
    this.at += 8;
    return this.bytes.readBigUInt64LE(this.at - 8);
  }
  take(length: number): Buffer {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text(): string {
    return this.take(Number(this.u64())).toString('latin1');
  }
}

export function readForm(bytes: Buffer): GgufForm {
  const reader = new Reader(bytes);
  reader.at = 8;
  const [tensorCount, keyCount] = [Number(reader.u64()), Number(reader.u64())];
  const keys = Array.from({ length: keyCount }, () => readKey(reader));
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = reader.text();
    const dims = Array.from({ length: reader.u32() }, () => reader.u64());
    return { name, dims, type: reader.u32(), offset: reader.u64() };
  });
  return { keys, tensors, data: bytes.subarray(Math.ceil(reader.at / ALIGNMENT) * ALIGNMENT) };
}

function readKey(reader: Reader): GgufKey {
  const name = reader.text();
  const type = reader.u32();
  const isArray = type === ARRAY;
  const itemType = isArray ? reader.u32() : type;
  const itemCount = isArray ? reader.u64() : 1n;
  const from = reader.at;
  if (itemType === STRING) for (let i = 0; i < Number(itemCount); i++) reader.text();
  else reader.take((WIDTH[itemType] ?? 0) * Number(itemCount));
  return { name, type, itemType, itemCount, bytes: reader.bytes.subarray(from, reader.at) };
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
};
export const textBytes = (text: string): Buffer =>
  Buffer.concat([u64(BigInt(text.length)), Buffer.from(text, 'latin1')]);

export function writeForm({ keys, tensors, data }: GgufForm): Buffer {
  const head = [Buffer.from('GGUF'), u32(3), u64(BigInt(tensors.length)), u64(BigInt(keys.length))];
  for (const { name, type, itemType, itemCount, bytes } of keys) {
    head.push(textBytes(name), u32(type));
    if (type === ARRAY) head.push(u32(itemType), u64(itemCount));
    head.push(bytes);
  }
  for (const { name, dims, type, offset } of tensors)
    head.push(textBytes(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset));
  const length = head.reduce((sum, part) => sum + part.length, 0);
  const padding = Buffer.alloc(Math.ceil(length / ALIGNMENT) * ALIGNMENT - length);
  return Buffer.concat([...head, padding, data]);
}

/** A single number as a key of that type has it. */
export function numberBytes(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(WIDTH[type] ?? 4);
  const whole = BigInt(Number.isFinite(value) ? Math.trunc(value) : 0);
  if (type === 6) bytes.writeFloatLE(value);
  else if (type === 12) bytes.writeDoubleLE(value);
  else if (bytes.length === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, whole));
  else bytes.writeUIntLE(Number(BigInt.asUintN(8 * bytes.length, whole)), 0, bytes.length);
  return bytes;
}
