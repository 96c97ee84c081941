/**
 * Pillow's 8-bit bicubic and bilinear resize, to the last bit: CLIP was trained behind it, and the cubic of other libraries differs
 * by up to 8 levels when shrinking. Facts: a = -0.5, the kernel widens when shrinking, weights become integers of 22
 * fractional bits, each pass is rounded to 8 bits.
 */
import type { RgbImage } from '../types/picture.js';

/** The part of the resized picture that is wanted, in its own pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const FRACTION_BITS = 22;
const HALF = 2 ** (FRACTION_BITS - 1);

/** Half the width of each kernel, in source pixels when enlarging. */
const FILTERS = {
  bicubic: { support: 2, kernel: bicubic },
  bilinear: { support: 1, kernel: bilinear },
} as const;
export type Filter = keyof typeof FILTERS;

/** Weights of one axis: output i is the sum over its `counts[i]` source values from `starts[i]` on. */
interface Weights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `size` weights per output value. */
  readonly values: Int32Array;
  readonly size: number;
}

/**
 * The window of `image` resized to `width` x `height`, RGB, 8 bits. Only the window is computed, so a picture of one
 * row does not become one of millions.
 */
export function pillowResize(
  image: RgbImage,
  width: number,
  height: number,
  window: Window,
  filter: Filter = 'bicubic',
): RgbImage {
  const across = axisWeights(filter, image.width, width, window.left, window.width);
  const down = axisWeights(filter, image.height, height, window.top, window.height);
  const data = new Uint8Array(window.width * window.height * 3);
  if (isVerticalFirst(image, width, height)) {
    const stride = image.width * 3;
    const rows = new Uint8Array(window.height * stride);
    for (let row = 0; row < window.height; row++) {
      weighColumns(image.data, 0, down, row, rows, stride);
      weighRow(rows, row * stride, across, data, row * window.width * 3, window.width);
    }
    return { data, width: window.width, height: window.height };
  }
  const firstRow = down.starts[0] ?? 0;
  const lastRow = (down.starts[window.height - 1] ?? 0) + (down.counts[window.height - 1] ?? 0);
  const rows = new Uint8Array((lastRow - firstRow) * window.width * 3);
  for (let row = firstRow; row < lastRow; row++) {
    weighRow(image.data, row * image.width * 3, across, rows, (row - firstRow) * window.width * 3, window.width);
  }
  for (let row = 0; row < window.height; row++) weighColumns(rows, firstRow, down, row, data, window.width * 3);
  return { data, width: window.width, height: window.height };
}

/**
 * Pillow 13 begins with the vertical pass when the height shrinks by more than twice as many pixels as the width: each
 * pass rounds to 8 bits, so the order shows in the last bit. Earlier versions never did.
 */
function isVerticalFirst(image: RgbImage, width: number, height: number): boolean {
  const lost = image.height - height;
  return lost > 0 && lost > 2 * (image.width - width);
}

function weighRow(
  source: Uint8Array,
  at: number,
  weights: Weights,
  target: Uint8Array,
  to: number,
  width: number,
): void {
  const { starts, counts, values, size } = weights;
  for (let x = 0; x < width; x++) {
    let from = at + (starts[x] as number) * 3;
    let red = HALF;
    let green = HALF;
    let blue = HALF;
    const end = x * size + (counts[x] as number);
    for (let k = x * size; k < end; k++) {
      const weight = values[k] as number;
      red += (source[from] as number) * weight;
      green += (source[from + 1] as number) * weight;
      blue += (source[from + 2] as number) * weight;
      from += 3;
    }
    target[to] = toByte(red);
    target[to + 1] = toByte(green);
    target[to + 2] = toByte(blue);
    to += 3;
  }
}

function weighColumns(
  rows: Uint8Array,
  firstRow: number,
  weights: Weights,
  row: number,
  target: Uint8Array,
  stride: number,
): void {
  const start = ((weights.starts[row] as number) - firstRow) * stride;
  const count = weights.counts[row] as number;
  const firstWeight = row * weights.size;
  for (let x = 0; x < stride; x++) {
    let sum = HALF;
    let from = start + x;
    for (let k = 0; k < count; k++) {
      sum += (rows[from] as number) * (weights.values[firstWeight + k] as number);
      from += stride;
    }
    target[row * stride + x] = toByte(sum);
  }
}

/** Rounds a sum of 22 fractional bits down (the half was added) and clips. Sums stay below 2^31: weights add to 1, overshoot a third. */
function toByte(sum: number): number {
  const value = sum >> FRACTION_BITS;
  return value < 0 ? 0 : Math.min(value, 255);
}

/** Weights of outputs `first` to `first + count` when `from` values become `to`. */
function axisWeights(filter: Filter, from: number, to: number, first: number, count: number): Weights {
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  if (from === to) {
    // Pillow skips an axis whose size stays.
    const values = new Int32Array(count).fill(2 ** FRACTION_BITS);
    for (let i = 0; i < count; i++) starts[i] = first + i;
    return { starts, counts: counts.fill(1), values, size: 1 };
  }
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const { kernel } = FILTERS[filter];
  const support = FILTERS[filter].support * filterScale;
  const size = Math.ceil(support) * 2 + 1;
  const values = new Int32Array(count * size);
  const row = new Float64Array(size);
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const length = Math.min(Math.trunc(center + support + 0.5), from) - start;
    let sum = 0;
    for (let k = 0; k < length; k++) {
      const weight = kernel((k + start - center + 0.5) * (1 / filterScale));
      row[k] = weight;
      sum += weight;
    }
    for (let k = 0; k < length; k++) {
      const weight = (sum === 0 ? (row[k] as number) : (row[k] as number) / sum) * 2 ** FRACTION_BITS;
      values[i * size + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    starts[i] = start;
    counts[i] = length;
  }
  return { starts, counts, values, size };
}

/** Keys' cubic with a = -0.5, in Pillow's order of operations. */
function bicubic(value: number): number {
  const a = -0.5;
  const x = Math.abs(value);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function bilinear(value: number): number {
  const x = Math.abs(value);
  return x < 1 ? 1 - x : 0;
}
