/** An ONNX file as a tree of fields, to change some and write it again: as much of onnx.proto3 as says which fields are messages. */

/** Messages within messages, by the number of their field. */
const MESSAGES = {
  model: { 7: 'graph', 8: 'operators' },
  operators: {},
  graph: { 1: 'node', 5: 'tensor', 11: 'value', 12: 'value', 13: 'value' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph' },
  tensor: { 13: 'entry' },
  entry: {},
  value: { 2: 'type' },
  type: { 1: 'tensorType' },
  tensorType: { 2: 'shape' },
  shape: { 1: 'dimension' },
  dimension: {},
} as const satisfies Record<string, Record<number, string>>;
export type OnnxKind = keyof typeof MESSAGES;

export interface OnnxMessage {
  readonly kind: OnnxKind;
  readonly fields: OnnxField[];
}

export interface OnnxField {
  number: number;
  /** A varint, bytes of a fixed size or of any, or a message. */
  value: bigint | Buffer | OnnxMessage;
  /** As the format numbers it: 0 varint, 1 eight bytes, 2 any bytes, 5 four bytes. */
  wire: number;
}

export function readOnnx(bytes: Buffer, kind: OnnxKind = 'model'): OnnxMessage {
  const fields: OnnxField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('a varint is cut off');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const [number, wire] = [key >> 3, key & 7];
    if (wire === 0) {
      fields.push({ number, wire, value: varint() });
      continue;
    }
    const length = wire === 1 ? 8 : wire === 5 ? 4 : Number(varint());
    const content = bytes.subarray(at, at + length);
    at += length;
    const inner = (MESSAGES[kind] as Record<number, OnnxKind>)[number];
    fields.push({ number, wire, value: wire === 2 && inner !== undefined ? readOnnx(content, inner) : content });
  }
  return { kind, fields };
}

export function writeOnnx({ fields }: OnnxMessage): Buffer {
  const parts: Buffer[] = [];
  for (const { number, wire, value } of fields) {
    parts.push(varintBytes(BigInt(number * 8 + wire)));
    if (typeof value === 'bigint') parts.push(varintBytes(value));
    else {
      const content = Buffer.isBuffer(value) ? value : writeOnnx(value);
      if (wire === 2) parts.push(varintBytes(BigInt(content.length)));
      parts.push(content);
    }
  }
  return Buffer.concat(parts);
}

function varintBytes(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  return Buffer.from([...bytes, Number(rest)]);
}
