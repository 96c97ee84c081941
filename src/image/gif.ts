/**
 * What a GIF's first frame hides: sharp gives its transparent pixels and what lies outside it as black, whatever its
 * palette says.
 */
import { setImmediate } from 'node:timers/promises';
import { ImageError, throwIfAborted } from '../errors.js';
import type { RgbImage } from '../types.js';
import { inPieces, PIXELS_AT_ONCE } from './pieces.js';

const SCREEN_BYTES = 13;
const EXTENSION = 0x21;
const GRAPHIC_CONTROL = 0xf9;
const IMAGE = 0x2c;

/** Blocks passed over before the event loop gets its turn: a file of empty ones has hundreds of millions. */
const BLOCKS_AT_ONCE = 2 ** 20;

/** The first frame on its screen. */
export interface GifFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Red, green, blue of what it does not cover. */
  readonly outside: readonly [number, number, number];
}

/** Whether these bytes begin as a GIF does. */
export function isGif(bytes: Uint8Array): boolean {
  return bytes.length > SCREEN_BYTES && /^GIF8[79]a$/.test(Buffer.from(bytes.subarray(0, 6)).toString('latin1'));
}

/**
 * Takes the transparency off the first frame, in `bytes` themselves: its pixels then have the colour that the palette
 * gives them, as in PIL. What the frame does not cover has the transparent colour there, or the first of the palette.
 *
 * @returns undefined where the file ends before a frame
 * @throws ImageError ERR_IMAGE_UNREADABLE for a frame without palette; AbortError
 */
export async function opaqueGif(bytes: Uint8Array, what: string, signal?: AbortSignal): Promise<GifFrame | undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const global = paletteAt(bytes, SCREEN_BYTES, bytes[10] ?? 0);
  let transparent: number | undefined;
  let at = global.end;
  let blockCount = 0;
  while (bytes[at] === EXTENSION) {
    if (++blockCount % BLOCKS_AT_ONCE === 0) await turn(signal);
    if (bytes[at + 1] === GRAPHIC_CONTROL && bytes[at + 2] === 4 && at + 6 < bytes.length) {
      const flags = bytes[at + 3] ?? 0;
      transparent = (flags & 1) === 1 ? bytes[at + 6] : undefined;
      bytes[at + 3] = flags & ~1;
    }
    at += 2;
    while ((bytes[at] ?? 0) > 0) {
      at += (bytes[at] ?? 0) + 1;
      if (++blockCount % BLOCKS_AT_ONCE === 0) await turn(signal);
    }
    at += 1;
  }
  if (bytes[at] !== IMAGE || at + 10 > bytes.length) return undefined;
  const local = paletteAt(bytes, at + 10, bytes[at + 9] ?? 0);
  const palette = local.count > 0 ? local : global;
  if (palette.count === 0)
    throw new ImageError('ERR_IMAGE_UNREADABLE', `${what} is a GIF without colours. Convert it to PNG first.`);
  const index = transparent ?? 0;
  const colour = (channel: number) => (index < palette.count ? (bytes[palette.at + index * 3 + channel] ?? 0) : 0);
  const number = (offset: number) => view.getUint16(at + offset, true);
  return {
    left: number(1),
    top: number(3),
    width: number(5),
    height: number(7),
    outside: [colour(0), colour(1), colour(2)],
  };
}

/** Gives what a decoded picture has outside its frame the frame's colour for it. @throws AbortError */
export async function fillOutside(
  { data, width, height }: RgbImage,
  frame: GifFrame,
  signal: AbortSignal | undefined,
): Promise<void> {
  const fillRow = (y: number) => {
    const isBeside = y >= frame.top && y < frame.top + frame.height;
    for (let x = 0; x < width; x++) {
      if (isBeside && x === frame.left) x += frame.width;
      if (x < width) data.set(frame.outside, (y * width + x) * 3);
    }
  };
  await inPieces(height, Math.ceil(PIXELS_AT_ONCE / width), signal, (first, end) => {
    for (let y = first; y < end; y++) fillRow(y);
  });
}

async function turn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  throwIfAborted(signal);
}

/** A palette that stands at `at` where the flags have it. */
function paletteAt(bytes: Uint8Array, at: number, flags: number) {
  const count = (flags & 0x80) === 0 ? 0 : 2 << (flags & 7);
  return { at, count, end: Math.min(at + count * 3, bytes.length) };
}
