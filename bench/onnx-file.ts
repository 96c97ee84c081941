/**
 * Graphs as ONNX files, written field by field in the format of onnx.proto3: for models whose size alone counts. Weights
 * are random, and written piece by piece, so that a graph of a gigabyte takes no memory.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

const OPERATOR_SET = 17;
const IR_VERSION = 8;
/** Random data repeats after so many numbers; each row of a matrix still differs from its neighbours. */
const PATTERN_LENGTH = 1021 * 257;

const TYPES = {
  float32: { number: 1, bytes: 4 },
  uint8: { number: 2, bytes: 1 },
  int64: { number: 7, bytes: 8 },
} as const;

type TensorType = keyof typeof TYPES;

interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: TensorType;
  /** Numbers, one for all places, or 'random': float32 of about 0.02 in size, any uint8. */
  readonly values: readonly number[] | number | 'random';
}

/** A number, a list of them, or one that is marked as a floating-point number. */
type Attribute = number | readonly number[] | { readonly float: number };

/** A graph that grows node by node; every call gives the name of what it added. */
export class GraphFile {
  readonly #nodes: Buffer[] = [];
  readonly #weights = new Map<string, Weight>();
  readonly #inputs: Buffer[] = [];
  readonly #outputs: Buffer[] = [];

  input(name: string, type: TensorType, dims: readonly (number | string)[]): string {
    this.#inputs.push(field(11, valueInfo(name, type, dims)));
    return name;
  }

  output(value: string, name: string, dims: readonly (number | string)[]): void {
    this.#node('Identity', [value], [name], {});
    this.#outputs.push(field(12, valueInfo(name, 'float32', dims)));
  }

  weight(name: string, dims: readonly number[], values: Weight['values'] = 'random', type: TensorType = 'float32') {
    this.#weights.set(name, { name, dims, type, values });
    return name;
  }

  constant(values: readonly number[], type: TensorType, dims: readonly number[] = [values.length]): string {
    return this.weight(`${type}.${dims.join('x')}.${values.join('_')}`, dims, values, type);
  }

  op(kind: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.ops(kind, inputs, 1, attributes)[0] ?? '';
  }

  /** An operator of several results. */
  ops(kind: string, inputs: readonly string[], count: number, attributes: Readonly<Record<string, Attribute>> = {}) {
    const names = Array.from({ length: count }, (_, index) => `v${this.#nodes.length}.${index}`);
    this.#node(kind, inputs, names, attributes);
    return names;
  }

  write(path: string): void {
    const heads = [...this.#weights.values()].map((weight) => {
      const bytes = bytesOf(weight);
      const { number } = TYPES[weight.type];
      const facts = [...weight.dims.map((size) => field(1, size)), field(2, number), field(8, text(weight.name))];
      const head = Buffer.concat([...facts, Buffer.from([9 * 8 + 2]), varint(bytes)]);
      return { weight, head: Buffer.concat([Buffer.from([5 * 8 + 2]), varint(head.length + bytes), head]) };
    });
    const rest = Buffer.concat([...this.#nodes, field(2, text('random')), ...this.#inputs, ...this.#outputs]);
    const length = heads.reduce((sum, { weight, head }) => sum + head.length + bytesOf(weight), rest.length);
    const handle = openSync(path, 'w');
    try {
      writeSync(handle, field(1, IR_VERSION));
      writeSync(handle, field(8, field(2, OPERATOR_SET)));
      writeSync(handle, Buffer.concat([Buffer.from([7 * 8 + 2]), varint(length), rest]));
      for (const { weight, head } of heads) {
        writeSync(handle, head);
        writeData(handle, weight);
      }
    } finally {
      closeSync(handle);
    }
  }

  #node(
    kind: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void {
    const parts = [
      ...inputs.map((name) => field(1, text(name))),
      ...outputs.map((name) => field(2, text(name))),
      field(3, text(`n${this.#nodes.length}`)),
      field(4, text(kind)),
      ...Object.entries(attributes).map(([name, value]) => field(5, attribute(name, value))),
    ];
    this.#nodes.push(field(1, Buffer.concat(parts)));
  }
}

const bytesOf = ({ dims, type }: Weight) => dims.reduce((product, size) => product * size, 1) * TYPES[type].bytes;

function writeData(handle: number, weight: Weight): void {
  const bytes = bytesOf(weight);
  if (typeof weight.values === 'object') {
    writeSync(handle, encoded(weight.values, weight.type));
    return;
  }
  const block = repeated(weight.values, weight.type);
  for (let at = 0; at < bytes; at += block.length) writeSync(handle, block, 0, Math.min(block.length, bytes - at));
}

const patterns = new Map<string, Buffer>();

function repeated(value: number | 'random', type: TensorType): Buffer {
  const known = patterns.get(`${value} ${type}`);
  if (known !== undefined) return known;
  let state = 12_345;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const one = () => (value !== 'random' ? value : type === 'float32' ? (random() - 0.5) / 14 : random() * 256);
  const made = encoded(Array.from({ length: PATTERN_LENGTH }, one), type);
  patterns.set(`${value} ${type}`, made);
  return made;
}

function encoded(values: readonly number[], type: TensorType): Buffer {
  const list =
    type === 'float32'
      ? Float32Array.from(values)
      : type === 'uint8'
        ? Uint8Array.from(values)
        : BigInt64Array.from(values, (value) => BigInt(value));
  return Buffer.from(list.buffer);
}

function valueInfo(name: string, type: TensorType, dims: readonly (number | string)[]): Buffer {
  const sides = dims.map((side) => field(1, typeof side === 'number' ? field(1, side) : field(2, text(side))));
  const tensor = Buffer.concat([field(1, TYPES[type].number), field(2, Buffer.concat(sides))]);
  return Buffer.concat([field(1, text(name)), field(2, field(1, tensor))]);
}

function attribute(name: string, value: Attribute): Buffer {
  const [FLOAT, INT, INTS] = [1, 2, 7];
  const named = field(1, text(name));
  if (typeof value === 'number') return Buffer.concat([named, field(3, value), field(20, INT)]);
  if ('float' in value) {
    const bytes = Buffer.alloc(5, 2 * 8 + 5);
    bytes.writeFloatLE(value.float, 1);
    return Buffer.concat([named, bytes, field(20, FLOAT)]);
  }
  return Buffer.concat([named, ...value.map((one) => field(8, one)), field(20, INTS)]);
}

/** A field of a protobuf message: a number as a varint, bytes with their length. */
function field(number: number, content: number | Buffer): Buffer {
  if (typeof content === 'number') return Buffer.concat([varint(number * 8), varint(content)]);
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}

/** Of a number from 0 on, or of a small negative one, which takes ten bytes. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  return Buffer.from([...bytes, Number(rest)]);
}
