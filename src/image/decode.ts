/** Whatever a caller names as a picture to pixels. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { ImageError, throwIfAborted } from '../errors.js';
import { integerFrom, parseOptions } from '../options.js';
import { checkPicture } from '../shared-picture.js';
import type { ImageSource, RgbImage } from '../types/picture.js';
import { openBitmap } from './bitmap.js';
import { FORMAT_NAMES, type OpenedPicture } from './format.js';
import { openWithSharp } from './sharp-picture.js';
import { signatureOf } from './signature.js';
import { type EncodedPicture, isPixels, readSource } from './source.js';

const MOST_PIXELS = 100_000_000;

const optionsSchema = z.strictObject({
  signal: signalSchema.optional(),
  maxPixels: integerFrom(1).default(MOST_PIXELS),
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
  return await decodeEncoded(await readSource(source, signal), { signal, maxPixels });
}

/**
 * As {@link decodeImage}, of what was read already.
 *
 * @param encoded read once: the bytes may be changed
 */
export async function decodeEncoded(encoded: EncodedPicture, options: DecodeImageOptions): Promise<RgbImage> {
  const { signal } = options;
  const picture = await openEncoded(encoded, options);
  const image = await picture.decode(signal);
  throwIfAborted(signal);
  return image;
}

/** The head of a file, for whoever wants to know how large the picture is before memory is taken for it. @throws as {@link decodeImage} */
export async function openEncoded(
  { bytes, what }: EncodedPicture,
  { signal, maxPixels = MOST_PIXELS }: DecodeImageOptions,
): Promise<OpenedPicture> {
  throwIfAborted(signal);
  if (bytes.length === 0) throw new ImageError('ERR_IMAGE_UNREADABLE', `${what} is empty. Expected ${FORMAT_NAMES}.`);
  const picture = await open(bytes, what, signal);
  checkSize(picture, maxPixels, what);
  throwIfAborted(signal);
  const decode = async (heard: AbortSignal | undefined) =>
    await picture.decode(heard).catch((cause: unknown) => {
      throw cause instanceof RangeError ? noMemory(picture, what, cause) : cause;
    });
  return { width: picture.width, height: picture.height, decode };
}

/** @throws ImageError ERR_IMAGE_UNREADABLE for what does not begin as a format that is read, before any decoder sees it */
async function open(bytes: Uint8Array, what: string, signal: AbortSignal | undefined): Promise<OpenedPicture> {
  const signature = signatureOf(bytes);
  if (signature?.advice === null)
    return signature.name === 'BMP'
      ? openBitmap(bytes, what)
      : await openWithSharp(bytes, signature.name, what, signal);
  throw new ImageError(
    'ERR_IMAGE_UNREADABLE',
    signature === undefined
      ? `${what} is not a picture that can be read. Expected ${FORMAT_NAMES}, received ${startOf(bytes)}.`
      : `${what} is ${signature.name}, which is not read here. Expected ${FORMAT_NAMES}: ${signature.advice}`,
  );
}

/** The first bytes, as a hint of what the file is. */
function startOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 12))
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '.');
  return `${bytes.length} bytes that begin with ${JSON.stringify(text)}`;
}

/** Only where somebody raised the limit. */
function noMemory({ width, height }: OpenedPicture, what: string, cause: RangeError): ImageError {
  return new ImageError(
    'ERR_IMAGE_TOO_LARGE',
    `${what} has ${width} x ${height} pixels. Expected memory for ${width * height * 3} bytes, but there is none: shrink it first.`,
    { cause },
  );
}

function checkSize({ width, height }: Pick<RgbImage, 'width' | 'height'>, maxPixels: number, what: string): void {
  if (width * height <= maxPixels) return;
  throw new ImageError(
    'ERR_IMAGE_TOO_LARGE',
    `${what} has ${width} x ${height} pixels. Expected at most ${maxPixels} in all: shrink it first. Or raise maxPixels.`,
  );
}
