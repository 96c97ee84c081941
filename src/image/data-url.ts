/** Data URLs (RFC 2397) to bytes, a piece at a time: they may hold hundreds of megabytes. */
import { setImmediate } from 'node:timers/promises';
import { ImageError, throwIfAborted } from '../errors.js';

/** Characters decoded before the event loop gets its turn. */
const PIECE = 2 ** 18;

/** The end of what stands before the comma says whether base64 follows. */
const LONGEST_MARK = 64;

const PERCENT = 0x25;
const BEYOND_BYTES = /[\u0100-\uffff]/;

/**
 * Base64, or percent-encoded text; white space in base64 is passed over.
 *
 * @throws ImageError ERR_IMAGE_UNREADABLE; AbortError
 */
export async function readDataUrl(url: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const comma = url.indexOf(',');
  if (comma < 0)
    throw new ImageError('ERR_IMAGE_UNREADABLE', 'The data: URL has no comma. Expected data:image/png;base64,... .');
  const isBase64 = /;\s*base64\s*$/i.test(url.slice(Math.max(0, comma - LONGEST_MARK), comma));
  const bytes = new Uint8Array(url.length - comma);
  const decoder = isBase64 ? new Base64Decoder(bytes) : undefined;
  let length = 0;
  for (let at = comma + 1; at < url.length; ) {
    if (at > comma + 1) await setImmediate();
    throwIfAborted(signal);
    const end = pieceEnd(url, at);
    const piece = percentBytes(url.slice(at, end));
    at = end;
    if (decoder !== undefined) decoder.push(piece);
    else {
      bytes.set(piece, length);
      length += piece.length;
    }
  }
  return bytes.subarray(0, decoder === undefined ? length : decoder.end());
}

/** Not within a %XX. */
function pieceEnd(url: string, at: number): number {
  const end = at + PIECE;
  if (end >= url.length) return url.length;
  for (const cut of [end - 2, end - 1]) if (url.charCodeAt(cut) === PERCENT) return cut;
  return end;
}

/**
 * Each %XX as the byte it names, every other character as its own.
 *
 * @throws ImageError ERR_IMAGE_UNREADABLE for a character that is no byte
 */
function percentBytes(text: string): Buffer {
  if (BEYOND_BYTES.test(text))
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      'The data: URL holds characters beyond ASCII. Expected base64, or each byte as %XX.',
    );
  const bytes = Buffer.from(text, 'latin1');
  if (!bytes.includes(PERCENT)) return bytes;
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    const high = byte === PERCENT ? digit(bytes[i + 1]) : -1;
    const low = high < 0 ? -1 : digit(bytes[i + 2]);
    bytes[length++] = low < 0 ? byte : high * 16 + low;
    if (low >= 0) i += 2;
  }
  return bytes.subarray(0, length);
}

/** The value of a hexadecimal digit; -1 for every other character. */
function digit(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Base64, either alphabet, in pieces of any length. */
class Base64Decoder {
  readonly #target: Buffer;
  #length = 0;
  /** Characters of a group of four that is not whole. */
  #rest = '';
  #paddingCount = 0;

  /** @param target has room for all that will be pushed */
  constructor(target: Uint8Array) {
    this.#target = Buffer.from(target.buffer, target.byteOffset, target.byteLength);
  }

  push(piece: Buffer): void {
    const [, text = '', padding] = /^([\w+/-]*)(=*)$/.exec(piece.toString('latin1').replace(/\s+/g, '')) ?? [];
    this.#paddingCount += padding?.length ?? 0;
    const isAfterPadding = text !== '' && this.#paddingCount > (padding?.length ?? 0);
    if (padding === undefined || this.#paddingCount > 2 || isAfterPadding)
      throw new ImageError(
        'ERR_IMAGE_UNREADABLE',
        'The data: URL holds characters that are not base64. Expected data:image/png;base64,... .',
      );
    const whole = this.#rest + text;
    const end = whole.length - (whole.length % 4);
    this.#write(whole.slice(0, end));
    this.#rest = whole.slice(end);
  }

  /** @returns how many bytes there are */
  end(): number {
    this.#write(this.#rest);
    return this.#length;
  }

  #write(text: string): void {
    this.#length += this.#target.write(text, this.#length, 'base64');
  }
}
