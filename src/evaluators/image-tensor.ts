/** CLIP's image preprocessing, equal to transformers' CLIPImageProcessor to the last bit. */
import type { RgbImage } from '../types.js';
import { pillowResize } from './pillow-resize.js';
import type { ImageTensorShape } from './worker-messages.js';

/** As numpy has 1 / 255 in double precision. */
const RESCALE = 1 / 255;

/**
 * Short side to `imageSize` (bicubic; the long side truncated to whole pixels), centre crop, then (value / 255 - mean) / std.
 *
 * @returns float32, shape [3, imageSize, imageSize]
 */
export function imageTensor(image: RgbImage, { imageSize, mean, std }: ImageTensorShape): Float32Array {
  const short = Math.min(image.width, image.height);
  const long = Math.trunc((imageSize * Math.max(image.width, image.height)) / short);
  const width = image.width <= image.height ? imageSize : long;
  const height = image.width <= image.height ? long : imageSize;
  const window = {
    left: (width - imageSize) >> 1,
    top: (height - imageSize) >> 1,
    width: imageSize,
    height: imageSize,
  };
  const { data } = pillowResize(image, width, height, window);
  const area = imageSize * imageSize;
  const tensor = new Float32Array(3 * area);
  for (let channel = 0; channel < 3; channel++) {
    const table = levels(mean[channel] ?? 0, std[channel] ?? 1);
    for (let i = 0; i < area; i++) tensor[channel * area + i] = table[data[i * 3 + channel] as number] as number;
  }
  return tensor;
}

/** The normalised value of each of the 256 levels, rounded to float32 where the processor rounds. */
function levels(mean: number, std: number): Float32Array {
  const table = new Float32Array(256);
  for (let level = 0; level < 256; level++) {
    const centred = Math.fround(Math.fround(level * RESCALE) - Math.fround(mean));
    table[level] = centred / Math.fround(std);
  }
  return table;
}
