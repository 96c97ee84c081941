/**
 * Ids, each at a place of its own, by their hashes in plain arrays: a million take 28 MB, where a Map of texts takes 200.
 * Two ids of the same 128 bits of SHA-256 would be taken for one; nobody knows such a pair.
 */
import { hash } from 'node:crypto';
import { Numbers } from './numbers.js';

const WORDS = 4;
const FIRST_SLOTS = 2 ** 10;

export class KeyTable {
  /** {@link WORDS} of each key, in the order of their places. */
  readonly #words = new Numbers(Uint32Array);
  /** By the first word of a key: 1 + its place; 0 for none. A power of two, more than half of it free. */
  #slots = new Uint32Array(FIRST_SLOTS);

  get size(): number {
    return this.#words.length / WORDS;
  }

  /** The place of a key, from 0; -1 for one that is not there. */
  find(key: string): number {
    return this.#placeAt(this.#slotOf(wordsOf(key)));
  }

  /** The place of a key, which is the next one where it is new. */
  add(key: string): number {
    const words = wordsOf(key);
    const slot = this.#slotOf(words);
    const known = this.#placeAt(slot);
    if (known >= 0) return known;
    const place = this.size;
    for (const word of words) this.#words.push(word);
    this.#slots[slot] = place + 1;
    if (2 * this.size > this.#slots.length) this.#grow();
    return place;
  }

  #placeAt(slot: number): number {
    return (this.#slots[slot] ?? 0) - 1;
  }

  /** Where the key is, or would be. */
  #slotOf(words: Uint32Array): number {
    const mask = this.#slots.length - 1;
    let slot = (words[0] ?? 0) & mask;
    for (let place = this.#placeAt(slot); place >= 0; place = this.#placeAt(slot)) {
      if (words.every((word, index) => this.#words.at(place * WORDS + index) === word)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let place = 0; place < this.size; place++) {
      let slot = this.#words.at(place * WORDS) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = place + 1;
    }
  }
}

function wordsOf(key: string): Uint32Array {
  const bytes = hash('sha256', key, 'buffer');
  return Uint32Array.from({ length: WORDS }, (_, index) => bytes.readUInt32LE(4 * index));
}
