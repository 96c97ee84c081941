/** Bytes to lines, without ever holding more than one line. */

/** One line without its newline. */
export interface ByteLine {
  /** From 1. */
  readonly number: number;
  /** Of its first byte. */
  readonly offset: number;
  /** Null for a line beyond the limit, which was passed over. */
  readonly bytes: Uint8Array | null;
  /** Without its newline. */
  readonly byteCount: number;
  /** False for a last line without newline. */
  readonly endsInNewline: boolean;
}

const NEWLINE = 0x0a;

/** @param maxBytes of one line; what is longer is told by its length alone */
export async function* readLines(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<ByteLine, void> {
  let number = 1;
  let offset = 0;
  let parts: Uint8Array[] = [];
  let byteCount = 0;
  const gather = (part: Uint8Array) => {
    byteCount += part.length;
    if (byteCount > maxBytes) parts = [];
    else parts.push(part);
  };
  const end = (endsInNewline: boolean): ByteLine => {
    const bytes = byteCount > maxBytes ? null : parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts);
    const line = { number, offset, bytes, byteCount, endsInNewline };
    number++;
    offset += byteCount + 1;
    parts = [];
    byteCount = 0;
    return line;
  };
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      gather(chunk.subarray(from, at));
      yield end(true);
      from = at + 1;
    }
    if (from < chunk.length) gather(chunk.subarray(from));
  }
  if (byteCount > 0) yield end(false);
}
