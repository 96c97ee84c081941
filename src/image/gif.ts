/**
 * A GIF's first frame on its screen: sharp gives transparent pixels and what lies outside of the frame as black, whatever the
 * palette says, and a screen of 640 x 480, say, or of more than 2,048 pixels as large as the frame.
 */
import { setImmediate } from 'node:timers/promises';
import { ImageError, throwIfAborted } from '../errors.js';
import type { RgbImage } from '../types/picture.js';
import { inPieces, PIXELS_AT_ONCE } from './pieces.js';

const SCREEN_BYTES = 13;
const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

/** Blocks passed over before the event loop gets its turn, in whichever parts they are: a file has hundreds of millions. */
const BLOCKS_AT_ONCE = 2 ** 18;

/** The first frame, and the screen that it stands on. */
export interface GifFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly screenWidth: number;
  readonly screenHeight: number;
  /** Red, green, blue of what it does not cover. */
  readonly outside: readonly [number, number, number];
}

/**
 * Makes the first frame a GIF of its own, in `bytes` themselves: without transparency, so that its pixels have the colour
 * that the palette gives them, as in PIL; and without its screen, whose size libvips does not believe where it is a common
 * one or large. What the frame does not cover has the transparent colour there, or the first of the palette.
 *
 * @returns undefined where the file ends before a frame
 * @throws ImageError ERR_IMAGE_UNREADABLE for a frame without pixels or palette; AbortError
 */
export async function opaqueGif(bytes: Uint8Array, what: string, signal?: AbortSignal): Promise<GifFrame | undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const global = paletteAt(bytes, SCREEN_BYTES, bytes[10] ?? 0);
  const turns = new Turns(signal);
  const { at, transparent } = await firstFrame(bytes, global.end, turns);
  if (bytes[at] !== IMAGE || at + 10 > bytes.length) return undefined;
  const local = paletteAt(bytes, at + 10, bytes[at + 9] ?? 0);
  const palette = local.count > 0 ? local : global;
  if (palette.count === 0)
    throw new ImageError('ERR_IMAGE_UNREADABLE', `${what} is a GIF without colours. Convert it to PNG first.`);
  const index = transparent ?? 0;
  const colour = (channel: number) => (index < palette.count ? (bytes[palette.at + index * 3 + channel] ?? 0) : 0);
  const number = (from: number) => view.getUint16(from, true);
  const [left, top, width, height] = [number(at + 1), number(at + 3), number(at + 5), number(at + 7)];
  if (width === 0 || height === 0)
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      `${what} is a GIF whose first frame has ${width} x ${height} pixels. Expected at least 1 x 1: fetch it again.`,
    );
  const screen = { screenWidth: Math.max(number(6), left + width), screenHeight: Math.max(number(8), top + height) };
  const frame = { left, top, width, height, ...screen, outside: [colour(0), colour(1), colour(2)] } as const;
  bytes.copyWithin(6, at + 5, at + 9);
  bytes.fill(0, at + 1, at + 5);
  await endAfter(bytes, local.end + 1, turns);
  return frame;
}

/** Where the first frame begins, and which colour is transparent in it. Takes the transparency off. */
async function firstFrame(bytes: Uint8Array, from: number, turns: Turns) {
  let transparent: number | undefined;
  let at = from;
  while (bytes[at] === EXTENSION) {
    if (turns.isDue()) await turns.take();
    if (bytes[at + 1] === GRAPHIC_CONTROL && bytes[at + 2] === 4 && at + 6 < bytes.length) {
      const flags = bytes[at + 3] ?? 0;
      transparent = (flags & 1) === 1 ? bytes[at + 6] : undefined;
      bytes[at + 3] = flags & ~1;
    }
    for (at += 2; lengthAt(bytes, at) > 0; at += lengthAt(bytes, at) + 1) if (turns.isDue()) await turns.take();
    at += 1;
  }
  return { at, transparent };
}

/** Ends the file behind the frame whose blocks begin at `from`; one that is cut off there stays as it is. */
async function endAfter(bytes: Uint8Array, from: number, turns: Turns): Promise<void> {
  let at = from;
  for (; lengthAt(bytes, at) > 0; at += lengthAt(bytes, at) + 1) if (turns.isDue()) await turns.take();
  if (at + 1 < bytes.length) bytes.fill(TRAILER, at + 1, at + 2);
}

/** Bytes of the block there; 0 ends them, as the file does. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** The event loop's turns, by the blocks of the whole file. */
class Turns {
  readonly #signal: AbortSignal | undefined;
  #left = BLOCKS_AT_ONCE;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Counts a block: whether a turn is due before it. */
  isDue(): boolean {
    return --this.#left <= 0;
  }

  /** @throws AbortError */
  async take(): Promise<void> {
    this.#left = BLOCKS_AT_ONCE;
    await setImmediate();
    throwIfAborted(this.#signal);
  }
}

/** The frame's pixels on its screen. @throws AbortError */
export async function onScreen(
  { data, width: stride }: RgbImage,
  { left, top, width, height, screenWidth, screenHeight, outside }: GifFrame,
  signal: AbortSignal | undefined,
): Promise<RgbImage> {
  const screen = new Uint8Array(screenWidth * screenHeight * 3);
  if (outside.some((level) => level > 0)) {
    await inPieces(screenWidth * screenHeight, PIXELS_AT_ONCE, signal, (first, end) => {
      for (let at = first; at < end; at++) screen.set(outside, at * 3);
    });
  }
  await inPieces(height, Math.ceil(PIXELS_AT_ONCE / width), signal, (first, end) => {
    for (let y = first; y < end; y++) {
      const row = data.subarray(y * stride * 3, (y * stride + width) * 3);
      screen.set(row, ((top + y) * screenWidth + left) * 3);
    }
  });
  return { data: screen, width: screenWidth, height: screenHeight };
}

/** A palette that stands at `at` where the flags have it. */
function paletteAt(bytes: Uint8Array, at: number, flags: number) {
  const count = (flags & 0x80) === 0 ? 0 : 2 << (flags & 7);
  return { at, count, end: Math.min(at + count * 3, bytes.length) };
}
