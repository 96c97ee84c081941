/** The few pictures that sharp does not hand over as RGB: CMYK by PIL's rule, and grey. */
import { inPieces, PIXELS_AT_ONCE } from './pieces.js';

/** @param data samples side by side, `channels` a pixel; of CMYK and of grey, more may follow the first four or the first */
export async function toRgb(
  data: Uint8Array,
  channels: number,
  isCmyk: boolean,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const count = data.length / channels;
  const rgb = new Uint8Array(count * 3);
  const convert = isCmyk ? cmykToRgb : greyToRgb;
  await inPieces(count, PIXELS_AT_ONCE, signal, (start, end) => convert(data, channels, rgb, start, end));
  return rgb;
}

/** The upper 8 of each 16 bits, which stand in the processor's order: little-endian, wherever this runs. */
export async function upperBytes(data: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = new Uint8Array(data.length / 2);
  await inPieces(bytes.length, PIXELS_AT_ONCE, signal, (start, end) => {
    for (let i = start; i < end; i++) bytes[i] = data[i * 2 + 1] as number;
  });
  return bytes;
}

/** PIL's conversion: (255 - k) less ink times (255 - k), the product rounded as its MULDIV255 does. */
function cmykToRgb(cmyk: Uint8Array, channels: number, rgb: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const rest = 255 - (cmyk[i * channels + 3] as number);
    for (let channel = 0; channel < 3; channel++) {
      const product = (cmyk[i * channels + channel] as number) * rest + 128;
      rgb[i * 3 + channel] = Math.max(0, rest - ((product + (product >> 8)) >> 8));
    }
  }
}

function greyToRgb(grey: Uint8Array, channels: number, rgb: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const level = grey[i * channels] as number;
    rgb[i * 3] = level;
    rgb[i * 3 + 1] = level;
    rgb[i * 3 + 2] = level;
  }
}
