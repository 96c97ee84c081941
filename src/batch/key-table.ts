/**
 * Ids, each at a place of its own, by their hashes in plain arrays: a million take 28 MB, where a Map of texts takes 200.
 * Two ids of the same 128 bits of SHA-256 would be taken for one; nobody knows such a pair.
 */
import { hash } from 'node:crypto';
import { Numbers } from './numbers.js';

const WORDS = 4;

/** Parts of the table, which grow one by one: growing a whole of millions would hold the event loop. */
const PARTS = 2 ** 7;
const FIRST_SLOTS = 2 ** 4;

/** Slots of one part: 1 + the place of a key, by the first word of its hash; 0 for none. At least half of them are free. */
interface Part {
  slots: Uint32Array;
  count: number;
}

export class KeyTable {
  /** {@link WORDS} of each key, in the order of their places. */
  readonly #words = new Numbers(Uint32Array);
  readonly #parts = Array.from({ length: PARTS }, (): Part => ({ slots: new Uint32Array(FIRST_SLOTS), count: 0 }));

  get size(): number {
    return this.#words.length / WORDS;
  }

  /** The place of a key, from 0; -1 for one that is not there. */
  find(key: string): number {
    const words = wordsOf(key);
    const { slots } = this.#partOf(words);
    return (slots[this.#slotOf(slots, words)] ?? 0) - 1;
  }

  /** The place of a key, which is the next one where it is new. */
  add(key: string): number {
    const words = wordsOf(key);
    const part = this.#partOf(words);
    const slot = this.#slotOf(part.slots, words);
    const known = (part.slots[slot] ?? 0) - 1;
    if (known >= 0) return known;
    const place = this.size;
    for (const word of words) this.#words.push(word);
    part.slots[slot] = place + 1;
    part.count++;
    if (2 * part.count > part.slots.length) this.#grow(part);
    return place;
  }

  #partOf(words: Uint32Array): Part {
    return this.#parts[(words[1] ?? 0) % PARTS] as Part;
  }

  /** Where the key is, or would be. */
  #slotOf(slots: Uint32Array, words: Uint32Array): number {
    const mask = slots.length - 1;
    let slot = (words[0] ?? 0) & mask;
    for (let place = (slots[slot] ?? 0) - 1; place >= 0; place = (slots[slot] ?? 0) - 1) {
      if (words.every((word, index) => this.#words.at(place * WORDS + index) === word)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(part: Part): void {
    const slots = new Uint32Array(2 * part.slots.length);
    const mask = slots.length - 1;
    for (const filled of part.slots) {
      if (filled === 0) continue;
      let slot = this.#words.at((filled - 1) * WORDS) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = filled;
    }
    part.slots = slots;
  }
}

function wordsOf(key: string): Uint32Array {
  const bytes = hash('sha256', key, 'buffer');
  return Uint32Array.from({ length: WORDS }, (_, index) => bytes.readUInt32LE(4 * index));
}
