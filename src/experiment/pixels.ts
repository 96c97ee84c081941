/** Arithmetic on pictures: each function makes a new one and leaves the old as it is. */
import type { RgbImage } from '../types/picture.js';

/** A number from 0 to 1, 1 excluded; the same each time for the same seed. */
export type Draw = () => number;

/** Mulberry32: small, seeded, good enough for noise. */
export function drawsOf(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normal noise on every channel. @param deviation in steps of 0 to 255 */
export function withNoise({ data, width, height }: RgbImage, deviation: number, draw: Draw): RgbImage {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    out[i] = byte((data[i] ?? 0) + deviation * normal);
  }
  return { data: out, width, height };
}

/** Three box blurs, which come near a Gaussian one. @param radius in pixels, >= 0 */
export function blurred(image: RgbImage, radius: number): RgbImage {
  if (radius < 1) return image;
  let found = image;
  for (let pass = 0; pass < 3; pass++) found = boxed(boxed(found, radius, 'across'), radius, 'down');
  return found;
}

function boxed({ data, width, height }: RgbImage, radius: number, way: 'across' | 'down'): RgbImage {
  const out = new Uint8Array(data.length);
  const [lines, length] = way === 'across' ? [height, width] : [width, height];
  const [step, next] = way === 'across' ? [3, width * 3] : [width * 3, 3];
  const inside = (at: number) => Math.min(length - 1, Math.max(0, at));
  for (let line = 0; line < lines; line++) {
    for (let channel = 0; channel < 3; channel++) {
      const start = line * next + channel;
      const at = (place: number) => data[start + inside(place) * step] ?? 0;
      let sum = 0;
      for (let place = -radius; place <= radius; place++) sum += at(place);
      for (let place = 0; place < length; place++) {
        out[start + place * step] = Math.round(sum / (2 * radius + 1));
        sum += at(place + radius + 1) - at(place - radius);
      }
    }
  }
  return { data: out, width, height };
}

/** The middle of the picture. @param share of each side that stays, 0 to 1 */
export function cropped({ data, width, height }: RgbImage, share: number): RgbImage {
  const [w, h] = [Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share))];
  const [left, top] = [(width - w) >> 1, (height - h) >> 1];
  const out = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    const from = ((top + y) * width + left) * 3;
    out.set(data.subarray(from, from + w * 3), y * w * 3);
  }
  return { data: out, width: w, height: h };
}

/** Mean of the pixels that each new one covers, or the nearest where it is enlarged. */
export function resized({ data, width, height }: RgbImage, w: number, h: number): RgbImage {
  const out = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    const [top, bottom] = span(y, h, height);
    for (let x = 0; x < w; x++) {
      const [left, right] = span(x, w, width);
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let v = top; v < bottom; v++)
          for (let u = left; u < right; u++) sum += data[(v * width + u) * 3 + channel] ?? 0;
        out[(y * w + x) * 3 + channel] = Math.round(sum / ((bottom - top) * (right - left)));
      }
    }
  }
  return { data: out, width: w, height: h };
}

function span(at: number, count: number, length: number): [number, number] {
  const from = Math.min(length - 1, Math.floor((at * length) / count));
  return [from, Math.max(from + 1, Math.floor(((at + 1) * length) / count))];
}

/** The picture made smaller in the middle of a canvas of its own size and mean colour. @param share of each side, 0 to 1 */
export function shrunk(image: RgbImage, share: number): RgbImage {
  const { width, height } = image;
  const small = resized(image, Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share)));
  return pasted(
    canvas(width, height, meanColour(image)),
    small,
    (width - small.width) >> 1,
    (height - small.height) >> 1,
  );
}

/** Turned about its middle; what comes in from outside has the mean colour. @param degrees against the clock */
export function rotated(image: RgbImage, degrees: number): RgbImage {
  const { data, width, height } = image;
  const ground = meanColour(image);
  const out = new Uint8Array(data.length);
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [cos * (x - cx) - sin * (y - cy) + cx, sin * (x - cx) + cos * (y - cy) + cy];
      const isInside = u >= 0 && v >= 0 && u <= width - 1 && v <= height - 1;
      const [left, top] = [Math.floor(u), Math.floor(v)];
      for (let channel = 0; channel < 3; channel++) {
        const at = (dx: number, dy: number) =>
          data[(Math.min(height - 1, top + dy) * width + Math.min(width - 1, left + dx)) * 3 + channel] ?? 0;
        const [fx, fy] = [u - left, v - top];
        const mixed = isInside
          ? (at(0, 0) * (1 - fx) + at(1, 0) * fx) * (1 - fy) + (at(0, 1) * (1 - fx) + at(1, 1) * fx) * fy
          : (ground[channel] ?? 0);
        out[(y * width + x) * 3 + channel] = byte(mixed);
      }
    }
  }
  return { data: out, width, height };
}

/** Every colour moved towards the mean of the picture. @param share of the contrast that stays, 0 to 1 */
export function flattened(image: RgbImage, share: number): RgbImage {
  const mean = meanColour(image);
  return mapped(image, (value, channel) => (mean[channel] ?? 0) + share * (value - (mean[channel] ?? 0)));
}

/** Between the colours as they are (0) and their negative (1). */
export function inverted(image: RgbImage, share: number): RgbImage {
  return mapped(image, (value) => value + share * (255 - 2 * value));
}

/** Between the colours as they are (0) and grey of the same lightness (1). */
export function greyed({ data, width, height }: RgbImage, share: number): RgbImage {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const grey = 0.299 * (data[i] ?? 0) + 0.587 * (data[i + 1] ?? 0) + 0.114 * (data[i + 2] ?? 0);
    for (let channel = 0; channel < 3; channel++) {
      const value = data[i + channel] ?? 0;
      out[i + channel] = byte(value + share * (grey - value));
    }
  }
  return { data: out, width, height };
}

/**
 * The picture in the first place of a square of pictures, the others behind it in rows.
 *
 * @param others what fills the other places, repeated when they are too few
 * @param side pictures in a row
 */
export function collage(image: RgbImage, others: readonly RgbImage[], side: number): RgbImage {
  const { width, height } = image;
  const [w, h] = [Math.max(1, Math.floor(width / side)), Math.max(1, Math.floor(height / side))];
  let found = canvas(width, height, meanColour(image));
  for (let place = 0; place < side * side; place++) {
    const picture = place === 0 || others.length === 0 ? image : (others[(place - 1) % others.length] ?? image);
    found = pasted(found, resized(picture, w, h), (place % side) * w, Math.floor(place / side) * h);
  }
  return found;
}

/** The picture at the left of a canvas of its mean colour: the middle that CLIP looks at is less and less of it. @param times as wide, >= 1 */
export function widened(image: RgbImage, times: number): RgbImage {
  return pasted(canvas(Math.round(image.width * times), image.height, meanColour(image)), image, 0, 0);
}

/** Another picture to its right, of its height. @param share of the picture's own width that the other takes, above 0 */
export function beside(image: RgbImage, other: RgbImage, share: number): RgbImage {
  const width = Math.max(1, Math.round(image.width * share));
  const ground = pasted(canvas(image.width + width, image.height, meanColour(image)), image, 0, 0);
  return pasted(ground, resized(other, width, image.height), image.width, 0);
}

/** Every value as the function says, cut to 0 to 255. */
export function mapped(
  { data, width, height }: RgbImage,
  value: (value: number, channel: number, index: number) => number,
): RgbImage {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = byte(value(data[i] ?? 0, i % 3, i));
  return { data: out, width, height };
}

export function meanColour({ data }: RgbImage): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 3) {
    sums[0] += data[i] ?? 0;
    sums[1] += data[i + 1] ?? 0;
    sums[2] += data[i + 2] ?? 0;
  }
  const count = Math.max(1, data.length / 3);
  return [sums[0] / count, sums[1] / count, sums[2] / count];
}

function canvas(width: number, height: number, colour: readonly [number, number, number]): RgbImage {
  return mapped({ data: new Uint8Array(width * height * 3), width, height }, (_, channel) => colour[channel] ?? 0);
}

function pasted(ground: RgbImage, image: RgbImage, left: number, top: number): RgbImage {
  const data = Uint8Array.from(ground.data);
  for (let y = 0; y < image.height && top + y < ground.height; y++) {
    const row = image.data.subarray(
      y * image.width * 3,
      y * image.width * 3 + Math.min(image.width, ground.width - left) * 3,
    );
    data.set(row, ((top + y) * ground.width + left) * 3);
  }
  return { data, width: ground.width, height: ground.height };
}

function byte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value);
}
