/**
 * A caller's pixels and bytes, copied before he can change them or transfer them away. Pixels go into memory that every
 * thread reads where it lies: the evaluator thread and the addon take them without another copy.
 */
import { createHash, type Hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { types } from 'node:util';
import { ImageError, throwIfAborted } from './errors.js';
import { describe } from './options.js';
import { weigh } from './shared-weight.js';
import type { RgbImage } from './types/picture.js';

/** What is no larger is copied at the call, the rest in turns of the event loop; in bytes. */
const COPIED_AT_ONCE = 8 * 2 ** 20;

/** Bytes copied before the event loop gets its turn: fresh memory takes up to 3 ms a MiB. */
const SLICE_BYTES = 4 * 2 ** 20;

/** Made by {@link takePicture} and {@link sharePicture} alone, so that nobody else writes into its memory. */
export class SharedPicture implements RgbImage {
  /** RGB, 8 bits each, row by row. */
  readonly data: Uint8Array;
  /** Pixels, >= 1. */
  readonly width: number;
  /** Pixels, >= 1. */
  readonly height: number;

  /** Not for callers. */
  constructor(width: number, height: number) {
    this.data = sharedBytes(width * height * 3);
    this.width = width;
    this.height = height;
  }
}

/**
 * What the caller's object says at this moment: each field is read once, whatever else it holds. Small pictures are
 * copied, so that the caller may change or transfer away his pixels; those of large ones are his still.
 *
 * @throws ImageError ERR_IMAGE_UNREADABLE for what is no picture
 */
export function takePicture(image: RgbImage): RgbImage {
  if (image instanceof SharedPicture) return image;
  const { data, width, height } = image;
  const taken = { data: types.isUint8Array(data) ? bytesOf(data) : data, width, height };
  checkPicture(taken);
  if (taken.data.length > COPIED_AT_ONCE) return taken;
  const shared = new SharedPicture(width, height);
  shared.data.set(taken.data);
  return shared;
}

/**
 * The picture in shared memory; one that is there already as it is. A large one is copied in turns of the event loop.
 *
 * @throws ImageError ERR_IMAGE_UNREADABLE for what is no picture, or when its buffer is transferred away meanwhile;
 *   AbortError
 */
export async function sharePicture(image: RgbImage, signal?: AbortSignal): Promise<SharedPicture> {
  const taken = takePicture(image);
  if (taken instanceof SharedPicture) return taken;
  const shared = new SharedPicture(taken.width, taken.height);
  await copy(taken.data, shared.data, signal);
  return shared;
}

const keys = new WeakMap<SharedPicture, Promise<string>>();

/** What tells pictures apart: SHA-256 of size and pixels, computed once for each object, in turns of the event loop. */
export function pictureKey(picture: SharedPicture): Promise<string> {
  const known = keys.get(picture);
  if (known !== undefined) return known;
  const key = hashOf(picture);
  keys.set(picture, key);
  return key;
}

async function hashOf({ data, width, height }: SharedPicture): Promise<string> {
  return await hashed(createHash('sha256').update(`${width} x ${height}\n`), data);
}

/** What tells encoded pictures apart: their SHA-256, in turns of the event loop. */
export async function bytesKey(bytes: Uint8Array): Promise<string> {
  return await hashed(createHash('sha256'), bytes);
}

async function hashed(hash: Hash, data: Uint8Array): Promise<string> {
  for (let at = 0; at < data.length; at += SLICE_BYTES) {
    if (at > 0) await setImmediate();
    hash.update(data.subarray(at, at + SLICE_BYTES));
  }
  return hash.digest('base64');
}

/** Encoded bytes at this moment, as {@link takePicture} has it for pixels. */
export function takeBytes(bytes: Uint8Array): Uint8Array {
  const taken = bytesOf(bytes);
  return taken.length > COPIED_AT_ONCE ? taken : new Uint8Array(taken);
}

/**
 * A copy of encoded bytes, made as {@link sharePicture} makes one of pixels.
 *
 * @throws ImageError ERR_IMAGE_UNREADABLE when their buffer is transferred away meanwhile; AbortError
 */
export async function copyBytes(bytes: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
  const taken = takeBytes(bytes);
  if (taken.length <= COPIED_AT_ONCE) return taken;
  const target = new Uint8Array(taken.length);
  await copy(taken, target, signal);
  return target;
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const lengthOf = getterOf('length') as (this: Uint8Array) => number;
const offsetOf = getterOf('byteOffset') as (this: Uint8Array) => number;
const bufferOf = getterOf('buffer') as (this: Uint8Array) => ArrayBuffer;

function getterOf(name: string): unknown {
  return Reflect.getOwnPropertyDescriptor(typedArray, name)?.get;
}

/** A view of what a caller's bytes really hold, whatever fields and methods of his they have; of none, where they are gone. */
function bytesOf(bytes: Uint8Array): Uint8Array {
  const length = lengthOf.call(bytes);
  return length === 0 ? new Uint8Array(0) : new Uint8Array(bufferOf.call(bytes), offsetOf.call(bytes), length);
}

/** @throws ImageError ERR_IMAGE_UNREADABLE when these are not the pixels of a picture */
export function checkPicture({ data, width, height }: RgbImage): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      `Pixels: expected a width and height of at least 1, received ${describe(width)} and ${describe(height)}.`,
    );
  }
  const isBytes = types.isUint8Array(data); // a proxy of one is none: its bytes cannot be reached
  if (isBytes && data.length === width * height * 3) return;
  const isGone = isBytes && data.length === 0;
  const received = !isBytes
    ? describe(data)
    : isGone
      ? '0 bytes (was its buffer transferred?)'
      : `${data.length} bytes`;
  throw new ImageError(
    'ERR_IMAGE_UNREADABLE',
    `Pixels: expected data to be a Uint8Array of width x height x 3 = ${width * height * 3} bytes (RGB, no alpha), received ${received}.`,
  );
}

async function copy(source: Uint8Array, target: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  for (let at = 0; at < target.length; at += SLICE_BYTES) {
    if (at > 0) await setImmediate();
    throwIfAborted(signal);
    const { buffer, byteOffset, length } = source;
    if (length !== target.length) {
      throw new ImageError(
        'ERR_IMAGE_UNREADABLE',
        `Expected ${target.length} bytes of a picture until it is read, received ${length}: its buffer was transferred or resized. Keep it until the promise settles.`,
      );
    }
    target.set(new Uint8Array(buffer, byteOffset + at, Math.min(SLICE_BYTES, length - at)), at);
  }
}

/** @throws ImageError ERR_IMAGE_TOO_LARGE when there is no memory for it */
function sharedBytes(length: number): Uint8Array {
  try {
    const bytes = new Uint8Array(new SharedArrayBuffer(length));
    weigh(bytes);
    return bytes;
  } catch (cause) {
    throw new ImageError(
      'ERR_IMAGE_TOO_LARGE',
      `Expected memory for a picture of ${length} bytes, but there is none. Shrink the picture first.`,
      { cause },
    );
  }
}
