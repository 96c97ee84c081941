/** An ONNX file with a fault or several, which a seed decides: in its messages, its bytes, or its length. */
import { withChangedBytes } from './json-mutation.js';
import { type OnnxField, type OnnxKind, type OnnxMessage, readOnnx, writeOnnx } from './onnx-form.js';
import type { Random } from './random.js';

const NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  7n,
  10n,
  11n,
  16n,
  22n,
  64n,
  127n,
  128n,
  1000n,
  65_536n,
  2n ** 20n,
  2n ** 31n,
  2n ** 40n,
  2n ** 62n,
  2n ** 63n,
  -1n,
  -2n,
  -(2n ** 31n),
];
const OPERATORS = [
  'Gather',
  'GatherElements',
  'Reshape',
  'MatMul',
  'Gemm',
  'Add',
  'Mul',
  'Div',
  'Pow',
  'Softmax',
  'Concat',
  'Slice',
  'Split',
  'Pad',
  'Tile',
  'Expand',
  'ConstantOfShape',
  'Constant',
  'Range',
  'Resize',
  'Conv',
  'ReduceMean',
  'Transpose',
  'Unsqueeze',
  'Squeeze',
  'Shape',
  'Size',
  'Where',
  'Equal',
  'Cast',
  'Einsum',
  'LSTM',
  'TopK',
  'OneHot',
  'ScatterND',
  'Identity',
  'If',
  'Loop',
  'Scan',
  'CumSum',
  'Trilu',
  'NonZero',
  'LayerNormalization',
  'DequantizeLinear',
  'MatMulNBits',
  'Nope',
  '',
];
const WORDS = [
  '',
  ' ',
  'x',
  'input_ids',
  'logits',
  'axis',
  'perm',
  'to',
  'value',
  'com.microsoft',
  '../../secret',
  '/dev/zero',
  '\0',
  'a'.repeat(300),
];

/** The file's bytes with faults in them. */
export function mutatedOnnx(file: Buffer, random: Random): Buffer {
  const way = random.below(12);
  if (way === 0) return withChangedBytes(file, random);
  if (way === 1)
    return file.subarray(0, random.below(random.below(2) === 0 ? Math.min(4096, file.length) : file.length));
  const model = readOnnx(file);
  const count = 1 + (random.below(3) === 0 ? random.below(3) : 0);
  for (let i = 0; i < count; i++) change(model, random);
  return writeOnnx(model);
}

function change(model: OnnxMessage, random: Random): void {
  const byKind = new Map<OnnxKind, OnnxMessage[]>();
  gather(model, byKind);
  // The kind first: there are hundreds of nodes, and one list of operators.
  const message = random.of(byKind.get(random.of([...byKind.keys()])) ?? [model]);
  const { fields } = message;
  if (fields.length === 0) return;
  const at = random.below(fields.length);
  const field = fields[at] as OnnxField;
  const way = random.below(10);
  if (way === 0) fields.splice(at, 1);
  else if (way === 1) fields.push({ ...field });
  else if (way === 2) fields.splice(at, 0, fields.splice(random.below(fields.length), 1)[0] as OnnxField);
  else if (way === 3) field.number = 1 + random.below(16);
  else if (way === 4)
    [field.value, field.wire] = swapped(field, random.of(byKind.get(message.kind) ?? [message]), random);
  else changeValue(field, message.kind, random);
}

function swapped({ value, wire }: OnnxField, other: OnnxMessage, random: Random): [OnnxField['value'], number] {
  const taken = other.fields.length === 0 ? { value, wire } : random.of(other.fields);
  return [taken.value, taken.wire];
}

function changeValue(field: OnnxField, kind: OnnxKind, random: Random): void {
  const { value } = field;
  if (typeof value === 'bigint') field.value = random.of([...NUMBERS, value + 1n, value - 1n, value * 2n, value / 2n]);
  else if (Buffer.isBuffer(value))
    field.value = field.wire === 2 ? changedBytes(value, kind, random) : withChangedBytes(value, random);
  else field.value = { kind: value.kind, fields: value.fields.slice(0, random.below(value.fields.length + 1)) };
}

/** Names and weights alike: texts are told from numbers by how long they are. */
function changedBytes(bytes: Buffer, kind: OnnxKind, random: Random): Buffer {
  if (bytes.length < 80 && random.below(2) === 0)
    return Buffer.from(random.of(kind === 'node' && random.below(2) === 0 ? OPERATORS : WORDS));
  const fills = [0, 0x7f, 0xff, 0x80];
  return random.of([
    () => bytes.subarray(0, random.below(bytes.length + 1)),
    () => Buffer.concat([bytes, bytes.subarray(0, 8)]),
    () => Buffer.alloc(bytes.length, random.of(fills)),
    () => Buffer.from(bytes).fill(random.of(fills), random.below(bytes.length + 1)),
    () => withChangedBytes(bytes, random),
  ])();
}

function gather(message: OnnxMessage, byKind: Map<OnnxKind, OnnxMessage[]>): void {
  const known = byKind.get(message.kind) ?? [];
  known.push(message);
  byKind.set(message.kind, known);
  for (const { value } of message.fields) {
    if (typeof value === 'object' && !Buffer.isBuffer(value)) gather(value, byKind);
  }
}
