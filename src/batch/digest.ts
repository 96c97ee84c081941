/** What a request's seed and identity are computed from: the same on every machine. */
import { createHash, type Hash } from 'node:crypto';
import { deriveSeedOver } from '../engine/index.js';

/** One seed for each (seed of the batch, id): the answer does not depend on what ran before or beside it. */
export function seedOf(seed: number, id: string): number {
  return deriveSeedOver(seed, Buffer.from(id));
}

/** First 16 hexadecimal digits of the SHA-256 over a value's content; the order of an object's keys does not count. */
export function digestOf(value: unknown): string {
  const hash = createHash('sha256');
  feed(hash, value);
  return hash.digest('hex').slice(0, 16);
}

/** Every value is told by its kind and length before its content, so that no two contents read alike. */
function feed(hash: Hash, value: unknown): void {
  if (typeof value === 'string') hash.update(`s${Buffer.byteLength(value)}:`).update(value);
  else if (value instanceof Uint8Array) hash.update(`b${value.byteLength}:`).update(value);
  else if (value instanceof URL) feed(hash, value.href);
  else if (Array.isArray(value)) {
    hash.update(`a${value.length}:`);
    for (const element of value) feed(hash, element);
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    hash.update(`o${fields.length}:`);
    for (const [name, field] of fields) {
      feed(hash, name);
      feed(hash, field);
    }
  } else hash.update(`${typeof value}:${String(value)};`);
}
