/** Faults in the keys of a GGUF file: numbers, types, texts, arrays, names, repeats. */
import { type GgufForm, type GgufKey, NUMBER_TYPES, numberBytes, textBytes } from './gguf-form.js';
import type { Random } from './random.js';

const STRING = 8;
const ARRAY = 9;
const NUMBERS = [
  0,
  1,
  2,
  3,
  7,
  16,
  31,
  64,
  100,
  127,
  128,
  255,
  256,
  512,
  1024,
  4096,
  65_535,
  65_536,
  1e6,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 40,
  2 ** 63,
  -1,
  -2,
  -128,
  -(2 ** 31),
  0.5,
  1e-5,
  1e-30,
  1e30,
  -0.5,
  -1e30,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];
const WORDS = [
  '',
  ' ',
  'x',
  'llama',
  'clip',
  'qwen2',
  'qwen3',
  'gemma3',
  'mamba',
  'bert',
  'gpt2',
  'mpt',
  'falcon',
  'deepseek2',
  'mlp',
  'ldp',
  'resampler',
  'adapter',
  'qwen2vl_merger',
  'qwen2.5vl_merger',
  'gemma3',
  'idefics3',
  'pixtral',
  'internvl',
  'llama4',
  'ultravox',
  'voxtral',
  'lfm2',
  'kimivl',
  'linear',
  'none',
  'yarn',
  'longrope',
  'bpe',
  'spm',
  'wpm',
  'ugm',
  'rwkv',
  '\0',
  '\xff\xfe',
  '{{',
  '{% for %}',
  'a'.repeat(300),
] as const;

/** @throws where there is nothing of the kind that it changes */
export type Change = (form: GgufForm, random: Random) => void;

const scalarKeys = ({ keys }: GgufForm) => keys.filter(({ type }) => type !== ARRAY && type !== STRING);

const changeNumber: Change = (form, random) => {
  const key = random.of(scalarKeys(form));
  key.bytes = numberBytes(key.type, random.of(NUMBERS));
};

/** A number near the one that stands there: off by one, twice, half. */
const nudgeNumber: Change = (form, random) => {
  const key = random.of(scalarKeys(form).filter(({ type }) => type === 4 || type === 5));
  const value = key.bytes.readUInt32LE();
  key.bytes = numberBytes(key.type, random.of([value + 1, value - 1, value * 2, Math.floor(value / 2), value * 3]));
};

const changeType: Change = (form, random) => {
  const key = random.of(scalarKeys(form));
  key.type = random.of(NUMBER_TYPES);
  key.bytes = numberBytes(key.type, random.of(NUMBERS));
};

const changeText: Change = (form, random) => {
  const key = random.of(form.keys.filter(({ type }) => type === STRING));
  key.bytes = textBytes(random.of(WORDS));
};

const becomeText: Change = (form, random) => {
  const key = random.of(form.keys);
  Object.assign(key, { type: STRING, itemType: STRING, itemCount: 1n, bytes: textBytes(random.of(WORDS)) });
};

const becomeArray: Change = (form, random) => {
  const key = random.of(form.keys);
  const itemType = random.of(NUMBER_TYPES);
  const count = random.of([0, 1, 2, 5, 40, 600]);
  const items = Array.from({ length: count }, () => numberBytes(itemType, random.of(NUMBERS)));
  Object.assign(key, { type: ARRAY, itemType, itemCount: BigInt(count), bytes: Buffer.concat(items) });
};

const dropKey: Change = ({ keys }, random) => void keys.splice(random.below(keys.length), 1);
const repeatKey: Change = ({ keys }, random) => void keys.push({ ...random.of(keys) });
const renameKey: Change = ({ keys }, random) => {
  const key = random.of(keys);
  key.name = random.of([`${key.name}x`, '', random.of(keys).name]);
};
const swapKeys: Change = ({ keys }, random) => {
  const [one, other] = [random.of(keys), random.of(keys)];
  [one.name, other.name] = [other.name, one.name];
};

const arrays = ({ keys }: GgufForm) => keys.filter(({ type, itemCount }) => type === ARRAY && itemCount > 0n);

/** Shorter by some items, items and count alike. */
const shortenArray: Change = (form, random) => {
  const key = random.of(arrays(form));
  const left = BigInt(random.of([0, 1, Number(key.itemCount) - 1, Math.floor(Number(key.itemCount) / 2)]));
  key.bytes = itemsOf(key)
    .slice(0, Number(left))
    .reduce((all, item) => Buffer.concat([all, item]), Buffer.alloc(0));
  key.itemCount = left;
};
const lieAboutArray: Change = (form, random) => {
  random.of(arrays(form)).itemCount = BigInt(random.of([0, 1, 2 ** 20, 2 ** 31, 2 ** 40, 2 ** 62]));
};
const changeItem: Change = (form, random) => {
  const key = random.of(arrays(form));
  const items = itemsOf(key);
  const at = random.below(items.length);
  items[at] =
    key.itemType === STRING
      ? random.of([textBytes(random.of(WORDS)), random.of(items)])
      : numberBytes(key.itemType, random.of(NUMBERS));
  key.bytes = Buffer.concat(items);
};

/** As many as there are, whatever the array says. */
function itemsOf({ itemType, itemCount, bytes }: GgufKey): Buffer[] {
  const items: Buffer[] = [];
  for (let at = 0; at < bytes.length && BigInt(items.length) < itemCount; ) {
    const length = itemType === STRING ? 8 + Number(bytes.readBigUInt64LE(at)) : numberBytes(itemType, 0).length;
    items.push(bytes.subarray(at, at + length));
    at += length;
  }
  return items;
}

/** The commonest more often. */
export const KEY_CHANGES: readonly Change[] = [
  changeNumber,
  changeNumber,
  changeNumber,
  nudgeNumber,
  nudgeNumber,
  changeType,
  changeText,
  becomeText,
  becomeArray,
  dropKey,
  repeatKey,
  renameKey,
  swapKeys,
  shortenArray,
  lieAboutArray,
  changeItem,
];
