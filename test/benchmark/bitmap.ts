/** Windows bitmaps of 3 x 2 pixels, byte by byte: red, green, blue above white, black, (10, 20, 30). */
export interface BitmapOptions {
  readonly bits: 8 | 24 | 32;
  readonly isTopDown?: boolean;
}

export const PIXELS = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
  [0, 0, 0],
  [10, 20, 30],
] as const;

export function bmp({ bits, isTopDown = false }: BitmapOptions): Buffer {
  const rowBytes = Math.ceil((3 * bits) / 32) * 4;
  const palette = bits === 8 ? PIXELS.flatMap(([r, g, b]) => [b, g, r, 0]) : [];
  const pixelsAt = 54 + palette.length;
  const bytes = Buffer.alloc(pixelsAt + rowBytes * 2, 0);
  bytes.write('BM', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(pixelsAt, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(3, 18);
  bytes.writeInt32LE(isTopDown ? -2 : 2, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(bits, 28);
  bytes.writeUInt32LE(palette.length / 4, 46);
  bytes.set(palette, 54);
  for (const [index, [r, g, b]] of PIXELS.entries()) {
    const [row, column] = [Math.floor(index / 3), index % 3];
    const at = pixelsAt + (isTopDown ? row : 1 - row) * rowBytes + (column * bits) / 8;
    bytes.set(bits === 8 ? [index] : [b, g, r, 7].slice(0, bits / 8), at);
  }
  return bytes;
}
