/** An ONNX graph with another name for one of its outputs: fields of protobuf that hold the name are written anew. */

const GRAPH = 7;
const NODE = 1;
const OUTPUT = 12;
/** In a node: names of inputs and of outputs. In the description of an output its name is field 1 too. */
const NAMES = [1, 2];

export function renamedOutput(model: Buffer, from: string, to: string): Buffer {
  let count = 0;
  const named = (bytes: Buffer): Buffer => {
    if (bytes.toString('utf8') !== from) return bytes;
    count++;
    return Buffer.from(to);
  };
  const part = (bytes: Buffer) => rewritten(bytes, (field, value) => (NAMES.includes(field) ? named(value) : value));
  const graph = (bytes: Buffer) =>
    rewritten(bytes, (field, value) => (field === NODE || field === OUTPUT ? part(value) : value));
  const changed = rewritten(model, (field, value) => (field === GRAPH ? graph(value) : value));
  if (count < 2) throw new Error(`Expected an output ${from} and the node that makes it, found ${count} names.`);
  return changed;
}

/** A message whose fields with a length have passed through `change`. */
function rewritten(message: Buffer, change: (field: number, value: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const key = varint();
    const wire = key & 7;
    if (wire === 2) {
      const length = varint();
      const value = change(Math.floor(key / 8), message.subarray(at, at + length));
      at += length;
      parts.push(varintOf(key), varintOf(value.length), value);
      continue;
    }
    if (wire === 0) varint();
    else at += wire === 1 ? 8 : 4;
    parts.push(message.subarray(start, at));
  }
  return Buffer.concat(parts);
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
