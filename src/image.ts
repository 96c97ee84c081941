/** Picture files to pixels. The only file that imports sharp, and only when a picture has to be decoded. */
import { readFile, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { z } from 'zod';
import { signalSchema } from './abort.js';
import { AbortError, ImageError, throwIfAborted } from './errors.js';
import { bitmapSize, CONVERT_AT_ONCE, decodeBitmap, isBitmap } from './formats/bitmap.js';
import { readDataUrl } from './formats/data-url.js';
import { fillOutside, type GifFrame, isGif, opaqueGif } from './formats/gif.js';
import { holdsRawYcbcr } from './formats/tiff.js';
import { describe, parseOptions } from './options.js';
import { checkPicture, copyBytes, takeBytes, takePicture } from './shared-picture.js';
import type { ImageSource, RgbImage } from './types.js';

/** Formats that are pictures. SVG and PDF are programs that draw, and may read other files. */
const FORMATS: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif', 'jp2', 'jxl']);
const FORMAT_NAMES = 'JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP';

/** Sample types that are levels of light as they stand; of floats and signed numbers nobody says which is white. */
const DEPTHS: ReadonlySet<string | undefined> = new Set(['uchar', 'ushort']);

/** An encoded file beyond this is refused unread, in bytes. */
const MAX_FILE_BYTES = 512 * 2 ** 20;

const optionsSchema = z.strictObject({
  signal: signalSchema.optional(),
  /** Width times height, before and after decoding. @default 100 million */
  maxPixels: z.int('expected an integer >= 1').min(1, 'expected an integer >= 1').default(100_000_000),
});

export type DecodeImageOptions = z.input<typeof optionsSchema>;

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
    checkSize(source.width, source.height, maxPixels, 'The picture');
    return source;
  }
  const { bytes, what } = await read(source, signal);
  throwIfAborted(signal);
  if (bytes.length === 0) throw new ImageError('ERR_IMAGE_UNREADABLE', `${what} is empty. Expected ${FORMAT_NAMES}.`);
  const image = isBitmap(bytes)
    ? await bitmap(bytes, what, maxPixels, signal)
    : await decode(bytes, what, maxPixels, signal);
  throwIfAborted(signal);
  return image;
}

/**
 * What a caller gave as a picture, at this moment: pixels and encoded bytes are his to change again once they are small
 * enough to be copied here; see {@link takePicture}.
 *
 * @throws ImageError ERR_IMAGE_UNREADABLE for what is none
 */
export function takeSource(source: ImageSource): ImageSource {
  if (isPixels(source)) return takePicture(source);
  return types.isUint8Array(source) ? takeBytes(source) : source;
}

/**
 * The version of sharp, and the names of the formats that this build of it reads, such as "jpeg" and "avif".
 *
 * @throws ImageError ERR_IMAGE_UNREADABLE when sharp does not load
 */
export async function imageLibrary(): Promise<{ version: string; formats: string[] }> {
  const sharp = await loadSharp();
  const formats = Object.entries(sharp.format)
    .filter(([name, { input }]) => FORMATS.has(name) && input.buffer)
    .flatMap(([name, { input }]) =>
      name === 'heif' ? (input.fileSuffix ?? []).map((end: string) => end.slice(1)) : [name],
    );
  return { version: sharp.versions.sharp ?? 'unknown', formats };
}

async function bitmap(
  bytes: Uint8Array,
  what: string,
  maxPixels: number,
  signal: AbortSignal | undefined,
): Promise<RgbImage> {
  const { width, height } = bitmapSize(bytes, what);
  checkSize(width, height, maxPixels, what);
  return await decodeBitmap(bytes, what, signal);
}

async function decode(
  bytes: Uint8Array,
  what: string,
  maxPixels: number,
  signal: AbortSignal | undefined,
): Promise<RgbImage> {
  const sharp = await loadSharp();
  const gifFrame = isGif(bytes) ? await opaqueGif(bytes, what, signal) : undefined;
  // failOn 'error' refuses truncated files and lets pass what decoders merely grumble about.
  const settings: SharpOptions = { failOn: 'error', ignoreIcc: true, limitInputPixels: false, autoOrient: true };
  let picture: Sharp;
  let facts: Metadata;
  try {
    picture = sharp(bytes, settings);
    facts = await picture.metadata();
  } catch (cause) {
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      `${what} is not a picture that can be read. Expected ${FORMAT_NAMES}, received ${startOf(bytes)}.`,
      { cause },
    );
  }
  if (!FORMATS.has(facts.format)) {
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      `${what} is ${facts.format.toUpperCase()}. Expected ${FORMAT_NAMES}: convert it first.`,
    );
  }
  checkSize(facts.width, facts.height, maxPixels, what);
  throwIfAborted(signal);
  checkSamples(facts, bytes, what);
  const isCmyk = facts.space === 'cmyk';
  try {
    const pipeline = isCmyk
      ? picture.pipelineColourspace('cmyk').toColourspace('cmyk')
      : picture.removeAlpha().toColourspace('srgb');
    const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    const pixels = info.channels === 3 ? data : await toRgb(data, info.channels, isCmyk, signal);
    const image = { data: pixels, width: info.width, height: info.height };
    if (gifFrame !== undefined) await fillAround(image, gifFrame, signal);
    return image;
  } catch (cause) {
    if (cause instanceof AbortError) throw cause;
    if (facts.format === 'heif' && facts.compression !== 'av1') {
      throw new ImageError(
        'ERR_IMAGE_UNREADABLE',
        `${what} is compressed with ${facts.compression?.toUpperCase()}, as HEIC is, which is not read here. Expected ${FORMAT_NAMES}: convert it to JPEG or PNG first.`,
        { cause },
      );
    }
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      `${what} is damaged or incomplete (${firstLine(cause)}). Expected a whole ${facts.format.toUpperCase()} file: fetch it again.`,
      { cause },
    );
  }
}

/** @throws ImageError ERR_IMAGE_UNREADABLE for samples that sharp gives as numbers, but not as the colours they mean */
function checkSamples({ space, depth, channels }: Metadata, bytes: Uint8Array, what: string): void {
  const isRaw = holdsRawYcbcr(bytes);
  if (DEPTHS.has(depth) && space !== 'multiband' && !isRaw) return;
  const samples = isRaw ? 'YCbCr' : space === 'multiband' ? `${channels} bands` : depth;
  throw new ImageError(
    'ERR_IMAGE_UNREADABLE',
    `${what} holds samples of an unknown meaning (${samples}). Expected RGB, grey, a palette or CMYK of 8 or 16 bits: convert it first.`,
  );
}

/** The few pictures that sharp does not hand over as RGB: CMYK by PIL's rule, and grey. Gives the event loop its turns. */
async function toRgb(
  data: Uint8Array,
  channels: number,
  isCmyk: boolean,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const count = data.length / channels;
  const rgb = new Uint8Array(count * 3);
  for (let start = 0; start < count; start += CONVERT_AT_ONCE) {
    if (start > 0) await setImmediate();
    throwIfAborted(signal);
    const end = Math.min(count, start + CONVERT_AT_ONCE);
    if (isCmyk) cmykToRgb(data, channels, rgb, start, end);
    else greyToRgb(data, channels, rgb, start, end);
  }
  return rgb;
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

async function fillAround(image: RgbImage, frame: GifFrame, signal: AbortSignal | undefined): Promise<void> {
  const rowsAtOnce = Math.ceil(CONVERT_AT_ONCE / image.width);
  for (let y = 0; y < image.height; y += rowsAtOnce) {
    if (y > 0) await setImmediate();
    throwIfAborted(signal);
    fillOutside(image, frame, y, Math.min(y + rowsAtOnce, image.height));
  }
}

async function read(
  source: string | URL | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<{ bytes: Uint8Array; what: string }> {
  if (types.isUint8Array(source)) return { bytes: await copyBytes(source, signal), what: 'The picture' };
  const text = source instanceof URL ? source.href : source;
  const scheme = source instanceof URL ? source.protocol : /^(https?|data|file):/i.exec(text)?.[0].toLowerCase();
  if (scheme === 'data:') return { bytes: await readDataUrl(text, signal), what: 'The picture in the data: URL' };
  if (scheme !== undefined && scheme !== 'file:') {
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      `The picture ${describe(text)} is not on this machine. Expected a path, a file: or data: URL, or bytes: nothing is fetched from the network.`,
    );
  }
  let path: string;
  try {
    path = scheme === 'file:' ? fileURLToPath(text) : text;
  } catch (cause) {
    throw new ImageError(
      'ERR_IMAGE_NOT_FOUND',
      `The picture ${describe(text)} is no valid file: URL. Expected file:///path/to/picture.`,
      { cause },
    );
  }
  return { bytes: await readPath(path, signal), what: `The picture ${describe(path)}` };
}

async function readPath(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const what = `The picture ${describe(path)}`;
  try {
    const found = await stat(path);
    if (found.isDirectory())
      throw new ImageError('ERR_IMAGE_UNREADABLE', `${what} is a folder. Expected a file: name one picture in it.`);
    if (!found.isFile())
      throw new ImageError('ERR_IMAGE_UNREADABLE', `${what} is no regular file. Expected ${FORMAT_NAMES}.`);
    if (found.size > MAX_FILE_BYTES) {
      throw new ImageError(
        'ERR_IMAGE_TOO_LARGE',
        `${what} has ${found.size} bytes. Expected at most ${MAX_FILE_BYTES}: shrink it first.`,
      );
    }
    return await readFile(path, { signal });
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throwIfAborted(signal);
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || path.length === 0) {
      throw new ImageError(
        'ERR_IMAGE_NOT_FOUND',
        `${what} was not found. Expected a path, a file: or data: URL, or bytes: check the name.`,
        { cause },
      );
    }
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      `${what} cannot be read (${code ?? firstLine(cause)}). Check the name and its permissions.`,
      { cause },
    );
  }
}

function isPixels(source: ImageSource): source is RgbImage {
  if (typeof source === 'string' || source instanceof URL || types.isUint8Array(source)) return false;
  if (source !== null && typeof source === 'object') return true;
  throw new ImageError(
    'ERR_IMAGE_UNREADABLE',
    `Expected a path, a URL, bytes or pixels { data, width, height }, received ${describe(source)}.`,
  );
}

function checkSize(width: number, height: number, maxPixels: number, what: string): void {
  if (width * height <= maxPixels) return;
  throw new ImageError(
    'ERR_IMAGE_TOO_LARGE',
    `${what} has ${width} x ${height} pixels. Expected at most ${maxPixels} in all: shrink it first. Or raise maxPixels.`,
  );
}

async function loadSharp() {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw new ImageError(
      'ERR_IMAGE_UNREADABLE',
      'The picture cannot be decoded, because sharp does not load. Expected its binary for this platform: run npm install again without --omit=optional.',
      { cause },
    );
  }
}

/** The first bytes, as a hint of what the file is. */
function startOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 12))
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '.');
  return `${bytes.length} bytes that begin with ${JSON.stringify(text)}`;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

/**
 * A picture as the bytes of a PNG file, which loses nothing.
 *
 * @throws ImageError ERR_IMAGE_UNREADABLE when sharp does not load
 */
export async function encodePng({ data, width, height }: RgbImage): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/**
 * A picture with what JPEG takes from it.
 *
 * @param quality 1 to 100
 * @throws as {@link decodeImage}
 */
export async function encodeJpeg({ data, width, height }: RgbImage, quality: number): Promise<RgbImage> {
  const sharp = await loadSharp();
  return await decodeImage(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality })
      .toBuffer(),
  );
}

/**
 * A picture as a small `data:` URL (JPEG), for reports.
 *
 * @param side the longer side is at most this, in pixels
 * @throws as {@link decodeImage}
 */
export async function thumbnailUrl(source: ImageSource, side: number): Promise<string> {
  const { data, width, height } = await decodeImage(source);
  const sharp = await loadSharp();
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 80 })
    .toBuffer();
  return `data:image/jpeg;base64,${bytes.toString('base64')}`;
}
