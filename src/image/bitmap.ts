/** Windows bitmaps (BMP) to pixels, which sharp does not read: uncompressed, 8, 24 or 32 bits a pixel. */
import { ImageError } from '../errors.js';
import type { RgbImage } from '../types/picture.js';
import type { OpenedPicture } from './format.js';
import { inPieces, PIXELS_AT_ONCE } from './pieces.js';

/** BITMAPV5HEADER. */
const LONGEST_HEADER = 124;
const FILE_HEADER_BYTES = 14;
/** Uncompressed; 3 says the same with masks, here those of plain BGRA alone. */
const COMPRESSIONS = [0, 3];
const COMPRESSED: Readonly<Record<number, string>> = {
  1: ', run lengths',
  2: ', run lengths',
  3: ' with masks',
  4: ', a JPEG within',
  5: ', a PNG within',
  6: ' with masks',
};
const BGRA_MASKS = [0xff0000, 0xff00, 0xff];

/** @throws ImageError ERR_IMAGE_UNREADABLE for a form that is not read here */
export function openBitmap(bytes: Uint8Array, what: string): OpenedPicture {
  const header = headerOf(bytes, what);
  return {
    width: header.width,
    height: header.height,
    decode: (signal) => decode(bytes, header, what, signal),
  };
}

async function decode(
  bytes: Uint8Array,
  { width, height, isTopDown, bits, paletteAt, paletteCount, pixelsAt }: BitmapHeader,
  what: string,
  signal: AbortSignal | undefined,
): Promise<RgbImage> {
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (pixelsAt + rowBytes * height > bytes.length)
    throw unreadable(what, `expected ${pixelsAt + rowBytes * height} bytes, received ${bytes.length}: fetch it again.`);
  if (paletteAt + paletteCount * 4 > bytes.length)
    throw unreadable(what, `expected ${paletteCount} colours, received fewer: fetch it again.`);
  const data = new Uint8Array(width * height * 3);
  const read = (y: number, from: number, to: number) => {
    const row = pixelsAt + (isTopDown ? y : height - 1 - y) * rowBytes;
    for (let x = from; x < to; x++) {
      let at = row + (x * bits) / 8;
      if (bits === 8) {
        const index = bytes[at] ?? 0;
        if (index >= paletteCount) throw unreadable(what, `expected colours below ${paletteCount}, received ${index}.`);
        at = paletteAt + index * 4;
      }
      const pixel = (y * width + x) * 3;
      data[pixel] = bytes[at + 2] as number;
      data[pixel + 1] = bytes[at + 1] as number;
      data[pixel + 2] = bytes[at] as number;
    }
  };
  // By pixels and not by rows: a row may be as long as the picture.
  await inPieces(width * height, PIXELS_AT_ONCE, signal, (first, end) => {
    for (let at = first; at < end; ) {
      const y = Math.floor(at / width);
      const to = Math.min(width, end - y * width);
      read(y, at - y * width, to);
      at = y * width + to;
    }
  });
  return { data, width, height };
}

type BitmapHeader = ReturnType<typeof headerOf>;

function headerOf(bytes: Uint8Array, what: string) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < FILE_HEADER_BYTES + 40) throw unreadable(what, 'expected a header of 54 bytes: fetch it again.');
  const headerBytes = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const signedHeight = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const masks = [54, 58, 62].map((at) => (at + 4 <= bytes.length ? view.getUint32(at, true) : 0));
  if (headerBytes < 40 || width < 1 || signedHeight === 0)
    throw unreadable(what, 'expected a Windows header with a width and a height: convert it to PNG.');
  if (![8, 24, 32].includes(bits) || !COMPRESSIONS.includes(compression) || (compression === 3 && bits !== 32))
    throw unreadable(
      what,
      `expected 8, 24 or 32 bits uncompressed, received ${bits} bits${COMPRESSED[compression] ?? ''}: convert it to PNG.`,
    );
  if (compression === 3 && BGRA_MASKS.some((mask, i) => masks[i] !== mask))
    throw unreadable(what, 'expected the masks of blue, green and red in this order: convert it to PNG.');
  const declared = view.getUint32(46, true);
  const pixelsAt = view.getUint32(10, true);
  const paletteAt = FILE_HEADER_BYTES + headerBytes;
  // A header cannot be longer than the longest there is, whatever it says.
  const leastAt = FILE_HEADER_BYTES + Math.min(headerBytes, LONGEST_HEADER);
  if (pixelsAt < leastAt)
    throw unreadable(what, `expected pixels behind a header of ${leastAt} bytes, received them at ${pixelsAt}.`);
  return {
    width,
    height: Math.abs(signedHeight),
    isTopDown: signedHeight < 0,
    bits,
    paletteAt,
    paletteCount: bits === 8 ? (declared === 0 ? 256 : Math.min(declared, 256)) : 0,
    pixelsAt,
  };
}

function unreadable(what: string, message: string): ImageError {
  return new ImageError('ERR_IMAGE_UNREADABLE', `${what} is a bitmap that cannot be read: ${message}`);
}
