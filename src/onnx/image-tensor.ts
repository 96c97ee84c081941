/** The image preprocessing of CLIP and its kin, equal to that of the original processors to the last bit. */
import type { RgbImage } from '../types/picture.js';
import { pillowResize } from './pillow-resize.js';
import type { ImageTensorShape } from './worker-messages.js';

/** As numpy has 1 / 255 in double precision. */
const RESCALE = 1 / 255;

/**
 * Resized by the shape's filter, cut to a square, then (value / 255 - mean) / std.
 *
 * @returns float32, shape [3, imageSize, imageSize]
 */
export function imageTensor(image: RgbImage, shape: ImageTensorShape): Float32Array {
  const { imageSize, mean, std } = shape;
  const { width, height } = resizedTo(image, shape);
  const before = (rest: number) => (shape.crop === 'center-rounded' ? halfToEven(rest) : Math.floor(rest / 2));
  const window = {
    left: before(width - imageSize),
    top: before(height - imageSize),
    width: imageSize,
    height: imageSize,
  };
  const { data } = pillowResize(image, width, height, window, shape.resample);
  const area = imageSize * imageSize;
  const tensor = new Float32Array(3 * area);
  for (let channel = 0; channel < 3; channel++) {
    const table = levels(mean[channel] ?? 0, std[channel] ?? 1);
    for (let i = 0; i < area; i++) tensor[channel * area + i] = table[data[i * 3 + channel] as number] as number;
  }
  return tensor;
}

/** Short side to `imageSize` and the long one truncated to whole pixels, or both to `imageSize`. */
function resizedTo({ width, height }: RgbImage, { imageSize, crop }: ImageTensorShape) {
  if (crop === 'squash') return { width: imageSize, height: imageSize };
  const long = Math.trunc((imageSize * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: imageSize, height: long } : { width: long, height: imageSize };
}

/** Half of a whole number, as Python's round() gives it. */
function halfToEven(rest: number): number {
  const floor = Math.floor(rest / 2);
  return rest % 2 === 0 ? floor : floor + (floor % 2);
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
