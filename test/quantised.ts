/** A GGUF with its matrices in blocks of 32 weights (Q8_0, Q4_0), made from one in 16 or 32 bits, as ggml's reference has it. */
import { readFileSync, writeFileSync } from 'node:fs';

const F32 = 0;
const F16 = 1;
const BLOCK = 32;
/** Bytes of a value in a GGUF's head, by its type; texts and arrays apart. */
export const VALUE_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

export type Blocks = 'q8_0' | 'q4_0';

interface Tensor {
  readonly name: string;
  readonly lengths: readonly number[];
  readonly type: number;
  readonly offset: number;
}

/** Norms and other vectors stay as they are. */
export function quantise(from: string, to: string, blocks: Blocks): void {
  const bytes = readFileSync(from);
  const { infosAt, dataAt, tensors } = headOf(bytes);
  const infos: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    const { name, lengths, type } = tensor;
    const count = lengths.reduce((product, length) => product * length, 1);
    const source = bytes.subarray(dataAt + tensor.offset, dataAt + tensor.offset + count * (type === F32 ? 4 : 2));
    const isMatrix = lengths.length === 2 && (lengths[0] ?? 0) % BLOCK === 0 && (type === F32 || type === F16);
    const weights = isMatrix ? (blocks === 'q8_0' ? q8Of : q4Of)(numbersOf(source, type)) : source;
    infos.push(textOf(name), number32(lengths.length), ...lengths.map(number64));
    infos.push(number32(isMatrix ? (blocks === 'q8_0' ? 8 : 2) : type), number64(offset));
    const padded = Buffer.alloc(Math.ceil(weights.length / BLOCK) * BLOCK);
    weights.copy(padded);
    data.push(padded);
    offset += padded.length;
  }
  const head = Buffer.concat([bytes.subarray(0, infosAt), ...infos]);
  const padding = Buffer.alloc(Math.ceil(head.length / BLOCK) * BLOCK - head.length);
  writeFileSync(to, Buffer.concat([head, padding, ...data]));
}

/** Where tensors are told, where their data begins, and which there are. */
function headOf(bytes: Buffer) {
  let at = 8;
  const past = (size: number) => {
    at += size;
    return at - size;
  };
  const long = () => Number(bytes.readBigUInt64LE(past(8)));
  const short = () => bytes.readUInt32LE(past(4));
  const text = () => {
    const length = long();
    return bytes.toString('utf8', past(length), at);
  };
  const skip = (type: number): void => {
    if (type === 8) text();
    else if (type !== 9) at += VALUE_BYTES[type] ?? Number.NaN;
    else {
      const item = short();
      for (let left = long(); left > 0; left--) skip(item);
    }
  };
  const tensorCount = long();
  for (let left = long(); left > 0; left--) {
    text();
    skip(short());
  }
  const infosAt = at;
  const tensors: Tensor[] = Array.from({ length: tensorCount }, () => {
    const name = text();
    const lengths = Array.from({ length: short() }, long);
    return { name, lengths, type: short(), offset: long() };
  });
  return { infosAt, dataAt: Math.ceil(at / BLOCK) * BLOCK, tensors };
}

function numbersOf(bytes: Buffer, type: number): Float32Array {
  const size = type === F32 ? 4 : 2;
  return Float32Array.from({ length: bytes.length / size }, (_, at) =>
    type === F32 ? bytes.readFloatLE(4 * at) : fromHalf(bytes.readUInt16LE(2 * at)),
  );
}

/** A scale in 16 bits, and 32 numbers of 8. */
function q8Of(weights: Float32Array): Buffer {
  return inBlocks(weights, 34, (block, out) => {
    const scale = Math.max(...block.map(Math.abs)) / 127;
    out.writeUInt16LE(toHalf(scale), 0);
    block.forEach((weight, at) => void out.writeInt8(scale === 0 ? 0 : Math.round(weight / scale), 2 + at));
  });
}

/** A scale in 16 bits, and 32 numbers of 4: the first half of the block in the low ones. */
function q4Of(weights: Float32Array): Buffer {
  return inBlocks(weights, 18, (block, out) => {
    const extreme = block.reduce((most, weight) => (Math.abs(weight) > Math.abs(most) ? weight : most), 0);
    const scale = extreme / -8;
    out.writeUInt16LE(toHalf(scale), 0);
    const step = (weight = 0) => Math.min(15, scale === 0 ? 8 : Math.floor(weight / scale + 8.5));
    for (let at = 0; at < BLOCK / 2; at++) out.writeUInt8(step(block[at]) | (step(block[at + BLOCK / 2]) << 4), 2 + at);
  });
}

function inBlocks(weights: Float32Array, size: number, write: (block: Float32Array, out: Buffer) => void): Buffer {
  const bytes = Buffer.alloc((weights.length / BLOCK) * size);
  for (let block = 0; block < weights.length / BLOCK; block++)
    write(weights.subarray(block * BLOCK, (block + 1) * BLOCK), bytes.subarray(block * size, (block + 1) * size));
  return bytes;
}

function fromHalf(half: number): number {
  const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return half & 0x8000 ? -size : size;
}

/** Of scales, which are no infinities. */
function toHalf(value: number): number {
  const size = Math.abs(value);
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const steps = Math.round(size * 2 ** (10 - exponent)); // 1024 to 2048, less where it is small
  return (value < 0 ? 0x8000 : 0) | (((exponent + 14) << 10) + steps);
}

function textOf(text: string): Buffer {
  const bytes = Buffer.from(text);
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
