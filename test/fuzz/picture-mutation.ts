/** A damaged or invented picture file, by a seed: bytes, lengths, headers' numbers, chunks, cuts, splices, noise behind magic. */
import { Random } from './random.js';

/** First bytes that send a file to a decoder, or have it refused by name. */
const MAGIC: readonly string[] = [
  '\xff\xd8\xff\xe0',
  '\x89PNG\r\n\x1a\n\0\0\0\rIHDR',
  'RIFF\x40\0\0\0WEBPVP8 ',
  'RIFF\x40\0\0\0WEBPVP8L',
  'RIFF\x40\0\0\0WEBPVP8X',
  'GIF89a',
  'GIF87a',
  'II*\0\x08\0\0\0',
  'MM\0*\0\0\0\x08',
  'II+\0\x08\0\0\0',
  'BM',
  '\0\0\0\x18ftypavif\0\0\0\0avifmif1',
  '\0\0\0\x18ftypheic\0\0\0\0mif1heic',
  '\0\0\0\x0cJXL \r\n\x87\n',
  '<svg ',
  '%PDF-1.7',
];

/** Numbers at which readers stumble. */
const NUMBERS = [
  0,
  1,
  2,
  3,
  7,
  8,
  255,
  256,
  32_767,
  32_768,
  65_535,
  65_536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

/** Bytes from the start in which headers stand. */
const HEAD_BYTES = 160;
const MOST_CHANGES = 6;

type Change = (bytes: Buffer, random: Random) => Buffer;

/** One number of one, two, four or eight bytes, either order, mostly in the head: sizes, depths, counts, offsets. */
function number(bytes: Buffer, random: Random): Buffer {
  const size = random.of([1, 2, 4, 4, 8]);
  const at = position(bytes, random, size);
  const value = random.below(4) === 0 ? random.below(2 ** 32) : random.of(NUMBERS);
  for (let i = 0; i < size && at + i < bytes.length; i++) bytes[at + i] = Math.floor(value / 256 ** i) % 256;
  if (random.below(2) === 0) bytes.subarray(at, Math.min(bytes.length, at + size)).reverse();
  return bytes;
}

function someBytes(bytes: Buffer, random: Random): Buffer {
  const at = position(bytes, random, 1);
  const end = Math.min(bytes.length, at + 1 + random.below(12));
  for (let i = at; i < end; i++) bytes[i] = random.below(256);
  return bytes;
}

function oneBit(bytes: Buffer, random: Random): Buffer {
  const at = position(bytes, random, 1);
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
}

function cut(bytes: Buffer, random: Random): Buffer {
  return bytes.subarray(0, random.below(bytes.length + 1));
}

/** A piece is left out, comes twice, or comes elsewhere. */
function piece(bytes: Buffer, random: Random): Buffer {
  const from = random.below(bytes.length);
  const end = Math.min(bytes.length, from + 1 + random.below(200));
  const taken = Buffer.from(bytes.subarray(from, end));
  const rest = random.below(2) === 0 ? Buffer.concat([bytes.subarray(0, from), bytes.subarray(end)]) : bytes;
  if (random.below(2) === 0) return rest;
  const at = random.below(rest.length + 1);
  return Buffer.concat([rest.subarray(0, at), taken, rest.subarray(at)]);
}

/** The letters of a chunk, a box or a marker change places with others of the same file. */
function names(bytes: Buffer, random: Random): Buffer {
  const found = [...bytes.toString('latin1').matchAll(/[A-Za-z]{3}[A-Za-z0-9 ]/g)].map(({ index }) => index);
  if (found.length < 2) return oneBit(bytes, random);
  const [one, other] = [random.of(found), random.of(found)];
  bytes.copy(bytes, one, other, other + 4);
  return bytes;
}

const CHANGES: readonly Change[] = [number, number, number, someBytes, someBytes, oneBit, cut, piece, names];

/** @param sound files of every format, always in the same order */
export function mutatedPicture(sound: readonly Buffer[], seed: number): Buffer {
  const random = new Random(seed);
  const kind = random.below(20);
  if (kind === 0) return noise(random, Buffer.from(random.of(MAGIC), 'latin1'));
  if (kind === 1) {
    const [head, tail] = [random.of(sound), random.of(sound)];
    return Buffer.concat([head.subarray(0, random.below(head.length)), tail.subarray(random.below(tail.length))]);
  }
  let bytes: Buffer = Buffer.from(random.of(sound));
  for (let left = 1 + random.below(MOST_CHANGES); left > 0 && bytes.length > 0; left--)
    bytes = random.of(CHANGES)(bytes, random);
  return bytes;
}

function noise(random: Random, magic: Buffer): Buffer {
  const bytes = Buffer.alloc(magic.length + random.below(2000));
  for (let at = 0; at < bytes.length; at++) bytes[at] = random.below(256);
  magic.copy(bytes);
  return bytes;
}

function position(bytes: Buffer, random: Random, size: number): number {
  const span = random.below(3) > 0 ? Math.min(HEAD_BYTES, bytes.length) : bytes.length;
  return random.below(Math.max(1, span - size + 1));
}
