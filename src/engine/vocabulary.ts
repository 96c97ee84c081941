/**
 * What every token of a model says, read once on the model's thread. All plain bytes lie in one buffer, so that a search
 * over 256,000 tokens takes milliseconds.
 */
import type { NativeModel } from '../native/model-types.js';

export class Vocabulary {
  readonly #bytes: Buffer;
  /** Token t is `bytes[starts[t]] .. bytes[starts[t + 1]]`. */
  readonly #starts: Int32Array;
  readonly #containing = new Map<string, Int32Array>();

  static async read(model: NativeModel): Promise<Vocabulary> {
    const { bytes, starts } = await model.vocabulary(false);
    return new Vocabulary(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), starts);
  }

  private constructor(bytes: Buffer, starts: Int32Array) {
    this.#bytes = bytes;
    this.#starts = starts;
  }

  get size(): number {
    return this.#starts.length - 1;
  }

  /** UTF-8 of one token, perhaps part of a character; empty for control tokens. */
  tokenBytes(token: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[token] ?? 0, this.#starts[token + 1] ?? 0);
  }

  /**
   * Every token that holds one of these characters, or the bytes that finish one which an earlier token began;
   * ascending. One pass per distinct argument.
   */
  containing(characters: string): Int32Array {
    const known = this.#containing.get(characters);
    if (known !== undefined) return known;
    const found = new Set<number>();
    for (const character of new Set(characters)) {
      const needle = Buffer.from(character, 'utf8');
      this.#collectHolders(needle, found);
      for (let cut = 1; cut < needle.length; cut++) this.#collectStarters(needle.subarray(cut), found);
    }
    const tokens = Int32Array.from(found).sort();
    this.#containing.set(characters, tokens);
    return tokens;
  }

  #collectHolders(needle: Buffer, found: Set<number>): void {
    let token = 0;
    for (let at = this.#bytes.indexOf(needle); at >= 0; at = this.#bytes.indexOf(needle, at + 1)) {
      while ((this.#starts[token + 1] ?? Number.POSITIVE_INFINITY) <= at) token++;
      if (at + needle.length <= (this.#starts[token + 1] ?? 0)) found.add(token);
    }
  }

  #collectStarters(tail: Buffer, found: Set<number>): void {
    for (let token = 0; token < this.size; token++) {
      const start = this.#starts[token] ?? 0;
      if ((this.#starts[token + 1] ?? 0) - start < tail.length) continue;
      if (
        this.#bytes[start] === tail[0] &&
        this.#bytes.compare(tail, 0, tail.length, start, start + tail.length) === 0
      ) {
        found.add(token);
      }
    }
  }
}
