/** A JSON file with a fault or several, which a seed decides: in its values, its names, its lists, its bytes, or its length. */
import type { Random } from './random.js';

type Holder = unknown[] | Record<string, unknown>;

/** A value and where it stands. */
interface Place {
  readonly holder: Holder;
  readonly key: string | number;
}

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  2,
  0.5,
  1e9,
  2 ** 31,
  2 ** 40,
  1e300,
  '',
  ' ',
  'a',
  '0',
  '__proto__',
  '../../x',
  '/dev/null',
  '(',
  '[',
  '\\',
  '.*',
  '(a+)+$',
  '\ud800',
  '{{',
  'x'.repeat(5000),
  [],
  [null],
  [[]],
  ['a', 1],
  {},
  { a: {} },
  { type: 'WordLevel' },
  { type: 'Sequence' },
  { type: 'Sequence', normalizers: [null] },
];

/** @param words names that stand for something in this kind of file */
export function mutatedJsonFile(text: string, random: Random, words: readonly string[]): Buffer {
  const way = random.below(12);
  if (way === 0) return withChangedBytes(Buffer.from(text), random);
  if (way === 1) return Buffer.from(text).subarray(0, random.below(Buffer.byteLength(text)));
  const root: Record<string, unknown> = { root: JSON.parse(text) };
  const count = 1 + (random.below(3) === 0 ? random.below(3) : 0);
  for (let i = 0; i < count; i++) change(root, random, words);
  return Buffer.from(JSON.stringify(root['root']) ?? '');
}

function change(root: Record<string, unknown>, random: Random, words: readonly string[]): void {
  const { holder, key } = placeIn(root, random);
  const value = valueAt(holder, key);
  const isList = Array.isArray(value);
  const kinds: readonly (() => unknown)[] = [
    () => random.of(VALUES),
    () => random.of(VALUES),
    () => random.of(words),
    () => near(value, random),
    () => (isList ? value.slice(0, random.below(value.length + 1)) : near(value, random)),
    () => (isList ? [...value, ...value.slice(0, 3)] : random.of(words)),
    () => (isList ? [...value].reverse() : JSON.stringify(value)),
    () => valueIn(placeIn(root, random)),
  ];
  if (random.below(5) === 0 && holder !== root) remove(holder, key);
  else if (random.below(6) === 0 && !Array.isArray(holder)) holder[random.of(words)] = value;
  else put(holder, key, structuredClone(random.of(kinds)())); // of a constant, and of what holds it
}

/** Any value of the tree, the upper ones more often: a vocabulary has thousands. */
function placeIn(root: Record<string, unknown>, random: Random): Place {
  let place: Place = { holder: root, key: 'root' };
  for (let depth = 0; depth < 8; depth++) {
    const value = valueIn(place);
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    if (keys.length === 0 || (depth > 0 && random.below(4) === 0)) break;
    const key = random.of(keys);
    place = { holder: value as Holder, key: Array.isArray(value) ? Number(key) : key };
  }
  return place;
}

const valueIn = ({ holder, key }: Place) => valueAt(holder, key);
const valueAt = (holder: Holder, key: string | number): unknown => (holder as Record<string, unknown>)[key];

function put(holder: Holder, key: string | number, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function remove(holder: Holder, key: string | number): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

function near(value: unknown, random: Random): unknown {
  if (typeof value === 'number') return random.of([value + 1, value - 1, value * 2, -value, value + 0.5, value * 1000]);
  if (typeof value === 'string') return random.of([`${value}x`, value.slice(1), value.toUpperCase(), value + value]);
  if (typeof value === 'boolean') return !value;
  return random.of(VALUES);
}

/** @param length of the beginning in which they are changed */
export function withChangedBytes(bytes: Buffer, random: Random, length = bytes.length): Buffer {
  const changed = Buffer.from(bytes);
  const count = 1 + random.below(6);
  for (let i = 0; i < count && length > 0; i++) changed[random.below(length)] = random.below(256);
  return changed;
}
