/** Small sound pictures of every format that is read, and of some that are not: what the fuzzer damages. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { bmp } from '../benchmark/bitmap.js';

/** Files whose form sharp does not write: interlaced, animated, partial, CMYK, 16 bits, other codecs. */
const FILES = [
  'image/transp.gif',
  'image/inter-trans.gif',
  'image/part-local-trans.gif',
  'image/disp3.gif',
  'image/comment.gif',
  'image/cmyk16.tif',
  'image/lzma.tif',
  'image/animation.avif',
  'image/hevc.avif',
  'image/x.heic',
  'image/half.tif',
  'image/ycbcr.tif',
  'evaluators/pictures/cmyk.jpg',
  'evaluators/pictures/exif-6.jpg',
  'evaluators/pictures/alpha.webp',
  'evaluators/pictures/bilevel.png',
  'evaluators/pictures/palette-transparent.png',
];

/** In an order that stays, so that a seed makes the same file again. */
export async function soundPictures(): Promise<readonly Buffer[]> {
  const side = 24;
  const data = Uint8Array.from({ length: side * side * 4 }, (_, at) => (at * 37 + (at >> 3) * 11) % 256);
  const raw = { raw: { width: side, height: side, channels: 4 as const } };
  const colours = () => sharp(data, raw).removeAlpha();
  const made = await Promise.all([
    colours().jpeg().toBuffer(),
    colours().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    colours().grayscale().jpeg().toBuffer(),
    sharp(data, raw).png().toBuffer(),
    sharp(data, raw).png({ progressive: true }).toBuffer(),
    colours().png({ palette: true, colours: 16 }).toBuffer(),
    colours().toColourspace('rgb16').png().toBuffer(),
    sharp(data, raw).webp().toBuffer(),
    sharp(data, raw).webp({ lossless: true }).toBuffer(),
    sharp(data, raw).gif().toBuffer(),
    colours().avif({ effort: 0 }).toBuffer(),
    colours().tiff({ compression: 'none' }).toBuffer(),
    colours().tiff({ compression: 'lzw', predictor: 'horizontal' }).toBuffer(),
    colours().tiff({ compression: 'jpeg' }).toBuffer(),
    colours().tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
    colours().threshold().toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }).toBuffer(),
  ]);
  const bitmaps = ([8, 24, 32] as const).map((bits) => bmp({ bits }));
  const kept = FILES.map((path) => readFileSync(fileURLToPath(new URL(`../golden/${path}`, import.meta.url))));
  return [...made, ...bitmaps, ...kept];
}
