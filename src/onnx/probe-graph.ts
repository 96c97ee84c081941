/**
 * A graph of two operators whose result is known: whether a provider starts here, and computes. Written field by field in
 * the format of onnx.proto3, so that no file has to lie beside the program.
 */

/** Of the softmax's values, 0 to 1: wide enough for a device that computes in half precision, and for no wrong one. */
export const PROBE_TOLERANCE = 0.005;

const ROWS = 8;
const INNER = 32;
const COLUMNS = 16;

/** One tensor of the probe, float32. */
interface ProbeTensor {
  readonly data: Float32Array;
  readonly dims: readonly [number, number];
}

export interface Probe {
  /** An ONNX model: y = Softmax(MatMul(a, b)). */
  readonly graph: Uint8Array;
  readonly feeds: Readonly<Record<'a' | 'b', ProbeTensor>>;
  /** Of the output `y`, row by row. */
  readonly expected: Float32Array;
}

export function makeProbe(): Probe {
  const a = values(ROWS * INNER, 0.37);
  const b = values(INNER * COLUMNS, 0.61);
  return {
    graph: graphBytes(),
    feeds: { a: { data: a, dims: [ROWS, INNER] }, b: { data: b, dims: [INNER, COLUMNS] } },
    expected: softmaxOfProduct(a, b),
  };
}

/** The greatest distance of what a device computed from what is right; Infinity for another number of values, or NaN. */
export function probeDifference(received: ArrayLike<number>, { expected }: Pick<Probe, 'expected'>): number {
  if (received.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs((received[i] ?? Number.NaN) - value);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, difference);
  }
  return largest;
}

function values(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(step * (i + 1)));
}

function softmaxOfProduct(a: Float32Array, b: Float32Array): Float32Array {
  const result = new Float32Array(ROWS * COLUMNS);
  for (let row = 0; row < ROWS; row++) {
    const exponentials = Array.from({ length: COLUMNS }, (_, column) => {
      let sum = 0;
      for (let i = 0; i < INNER; i++) sum += (a[row * INNER + i] ?? 0) * (b[i * COLUMNS + column] ?? 0);
      return Math.exp(sum);
    });
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    for (const [column, value] of exponentials.entries()) result[row * COLUMNS + column] = value / total;
  }
  return result;
}

function graphBytes(): Uint8Array {
  const node = (operator: string, inputs: readonly string[], output: string) =>
    message([...inputs.map((input) => field(1, text(input))), field(2, text(output)), field(4, text(operator))]);
  const value = (name: string, dims: readonly number[]) => {
    const shape = message(dims.map((size) => field(1, message([field(1, size)]))));
    const FLOAT = 1;
    const tensor = message([field(1, FLOAT), field(2, shape)]);
    return message([field(1, text(name)), field(2, message([field(1, tensor)]))]);
  };
  const graph = message([
    field(1, node('MatMul', ['a', 'b'], 'product')),
    field(1, node('Softmax', ['product'], 'y')), // over the last dimension, from operator set 13 on
    field(2, text('probe')),
    field(11, value('a', [ROWS, INNER])),
    field(11, value('b', [INNER, COLUMNS])),
    field(12, value('y', [ROWS, COLUMNS])),
  ]);
  const OPERATOR_SET = 13;
  const IR_VERSION = 8;
  return message([field(1, IR_VERSION), field(7, graph), field(8, message([field(2, OPERATOR_SET)]))]);
}

/** A field of a protobuf message: a number as a varint, bytes with their length. */
function field(number: number, content: number | Uint8Array): Uint8Array {
  if (typeof content === 'number') return Uint8Array.from([...varint(number * 8), ...varint(content)]);
  return Uint8Array.from([...varint(number * 8 + 2), ...varint(content.length), ...content]);
}

function message(fields: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((bytes) => [...bytes]));
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
