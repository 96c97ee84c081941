/** Tokens to text, in whole characters: a character that spans tokens appears with its last byte. */

/** Where the bytes of a token come from. Control tokens have none. */
export interface TokenBytes {
  /** UTF-8 of one token, perhaps part of a character. */
  tokenBytes(token: number): Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Bytes up to which a loop over them takes less time than a call of the decoder. */
const SHORT = 32;

/** A text that grows by tokens: what is not a whole character yet waits for the next. */
export class TokenText {
  readonly #source: TokenBytes;
  // A byte order mark in the middle of an answer is a character like any other.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #rest: Uint8Array;

  /** @param rest bytes of a character that earlier tokens began */
  constructor(source: TokenBytes, rest: Uint8Array = NOTHING) {
    this.#source = source;
    this.#rest = rest;
  }

  /** Bytes of an unfinished character, at most three. */
  get rest(): Uint8Array {
    return this.#rest;
  }

  /** Text that these tokens complete; "" while a character is unfinished. Bytes that are no UTF-8 give U+FFFD. */
  push(tokens: Iterable<number>): string {
    let text = '';
    const pieces: Uint8Array[] = this.#rest.length === 0 ? [] : [this.#rest];
    for (const token of tokens) {
      const bytes = this.#source.tokenBytes(token);
      const plain = pieces.length === 0 ? plainText(bytes) : undefined;
      if (plain === undefined) pieces.push(bytes);
      else text += plain;
    }
    if (pieces.length === 0) return text;
    const bytes = Buffer.concat(pieces);
    const end = wholeCharacters(bytes);
    this.#rest = bytes.subarray(end);
    return text + this.#decoder.decode(bytes.subarray(0, end));
  }

  /** What is left of an unfinished character: U+FFFD, or "". The next push starts afresh. */
  flush(): string {
    const text = this.#decoder.decode(this.#rest);
    this.#rest = NOTHING;
    return text;
  }
}

/** The text of a finished run of tokens. */
export function textOf(source: TokenBytes, tokens: Iterable<number>): string {
  const reader = new TokenText(source);
  return reader.push(tokens) + reader.flush();
}

/** The text of a few bytes that are all characters of their own; undefined for others. */
function plainText(bytes: Uint8Array): string | undefined {
  if (bytes.length > SHORT) return undefined;
  let text = '';
  for (const byte of bytes) {
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** How many bytes of the front hold whole characters: all, unless the last character lacks bytes. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
