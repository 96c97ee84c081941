/** Whatever a caller names as a picture to pixels. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { ImageError, throwIfAborted } from '../errors.js';
import { integerFrom, parseOptions } from '../options.js';
import { checkPicture } from '../shared-picture.js';
import type { ImageSource, RgbImage } from '../types.js';
import { isBitmap, openBitmap } from './bitmap.js';
import { FORMAT_NAMES } from './format.js';
import { openWithSharp } from './sharp-picture.js';
import { isPixels, readSource } from './source.js';

const optionsSchema = z.strictObject({
  signal: signalSchema.optional(),
  maxPixels: integerFrom(1).default(100_000_000),
});

/** What `decodeImage` takes. */
export interface DecodeImageOptions {
  /** Ends the decoding with an AbortError. */
  signal?: AbortSignal | undefined;
  /** Width times height at most, before and after decoding, >= 1; more is ERR_IMAGE_TOO_LARGE. @default 100 million */
  maxPixels?: number | undefined;
}

/**
 * Decodes a picture to 8-bit RGB, turned upright by its EXIF orientation. Colour profiles are ignored and alpha is
 * dropped, not blended, as PIL's `convert("RGB")` does, which CLIP and the language models were trained behind. Of an
 * animation the first frame counts; 16 bits keep their upper 8.
 *
 * @param source a path, a `file:` or `data:` URL, encoded bytes, or pixels (checked and returned as they are)
 * @throws ImageError ERR_IMAGE_NOT_FOUND, ERR_IMAGE_UNREADABLE, ERR_IMAGE_TOO_LARGE; AbortError; UsageError
 */
export async function decodeImage(source: ImageSource, options?: DecodeImageOptions): Promise<RgbImage> {
  const { signal, maxPixels } = parseOptions(optionsSchema, options, 'decodeImage options');
  throwIfAborted(signal);
  if (isPixels(source)) {
    checkPicture(source);
    checkSize(source, maxPixels, 'The picture');
    return source;
  }
  const { bytes, what } = await readSource(source, signal);
  throwIfAborted(signal);
  if (bytes.length === 0) throw new ImageError('ERR_IMAGE_UNREADABLE', `${what} is empty. Expected ${FORMAT_NAMES}.`);
  const picture = isBitmap(bytes) ? openBitmap(bytes, what) : await openWithSharp(bytes, what, signal);
  checkSize(picture, maxPixels, what);
  throwIfAborted(signal);
  const image = await picture.decode(signal);
  throwIfAborted(signal);
  return image;
}

function checkSize({ width, height }: Pick<RgbImage, 'width' | 'height'>, maxPixels: number, what: string): void {
  if (width * height <= maxPixels) return;
  throw new ImageError(
    'ERR_IMAGE_TOO_LARGE',
    `${what} has ${width} x ${height} pixels. Expected at most ${maxPixels} in all: shrink it first. Or raise maxPixels.`,
  );
}
