/** A picture that needs no file: the self-test of a vision graph. */
import type { RgbImage } from '../types/picture.js';

/** Ramps and a block, in whole numbers, the same here and in the exporter: value = (5x + 3y + 40c + 90 [x < y]) mod 256. */
export function testPicture({ width, height }: { readonly width: number; readonly height: number }): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const channel = i % 3;
    const x = ((i - channel) / 3) % width;
    const y = Math.floor(i / 3 / width);
    data[i] = (5 * x + 3 * y + 40 * channel + (x < y ? 90 : 0)) % 256;
  }
  return { data, width, height };
}
