/** Every format but bitmaps to pixels, by sharp, with PIL's values where sharp's are others. */
import { AbortError, ImageError } from '../errors.js';
import type { RgbImage } from '../types.js';
import { FORMAT_NAMES, FORMATS, type OpenedPicture } from './format.js';
import { fillOutside, type GifFrame, isGif, opaqueGif } from './gif.js';
import { toRgb } from './rgb.js';
import { loadSharp, type Metadata, type Sharp, type SharpOptions } from './sharp.js';
import { holdsRawYcbcr } from './tiff.js';

// failOn 'error' refuses truncated files and lets pass what decoders merely grumble about.
const SETTINGS: SharpOptions = { failOn: 'error', ignoreIcc: true, limitInputPixels: false, autoOrient: true };

/** Sample types that are levels of light as they stand; of floats and signed numbers nobody says which is white. */
const DEPTHS: ReadonlySet<string | undefined> = new Set(['uchar', 'ushort']);

/**
 * @param bytes kept until the picture is decoded; those of a GIF are changed
 * @param what how a message calls the picture
 * @throws ImageError ERR_IMAGE_UNREADABLE for what is no picture; AbortError
 */
export async function openWithSharp(
  bytes: Uint8Array,
  what: string,
  signal: AbortSignal | undefined,
): Promise<OpenedPicture> {
  const sharp = await loadSharp();
  const gifFrame = isGif(bytes) ? await opaqueGif(bytes, what, signal) : undefined;
  let picture: Sharp;
  let facts: Metadata;
  try {
    picture = sharp(bytes, SETTINGS);
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
  return {
    width: facts.width,
    height: facts.height,
    decode: async (signal) => {
      checkSamples(facts, bytes, what);
      try {
        return await pixelsOf(picture, facts, gifFrame, signal);
      } catch (cause) {
        if (cause instanceof AbortError) throw cause;
        throw damaged(facts, what, cause);
      }
    },
  };
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

async function pixelsOf(
  picture: Sharp,
  facts: Metadata,
  gifFrame: GifFrame | undefined,
  signal: AbortSignal | undefined,
): Promise<RgbImage> {
  const isCmyk = facts.space === 'cmyk';
  const pipeline = isCmyk
    ? picture.pipelineColourspace('cmyk').toColourspace('cmyk')
    : picture.removeAlpha().toColourspace('srgb');
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const pixels = info.channels === 3 ? data : await toRgb(data, info.channels, isCmyk, signal);
  const image = { data: pixels, width: info.width, height: info.height };
  if (gifFrame !== undefined) await fillOutside(image, gifFrame, signal);
  return image;
}

function damaged({ format, compression }: Metadata, what: string, cause: unknown): ImageError {
  if (format === 'heif' && compression !== 'av1') {
    return new ImageError(
      'ERR_IMAGE_UNREADABLE',
      `${what} is compressed with ${compression?.toUpperCase()}, as HEIC is, which is not read here. Expected ${FORMAT_NAMES}: convert it to JPEG or PNG first.`,
      { cause },
    );
  }
  const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
  return new ImageError(
    'ERR_IMAGE_UNREADABLE',
    `${what} is damaged or incomplete (${reason}). Expected a whole ${format.toUpperCase()} file: fetch it again.`,
    { cause },
  );
}

/** The first bytes, as a hint of what the file is. */
function startOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 12))
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '.');
  return `${bytes.length} bytes that begin with ${JSON.stringify(text)}`;
}
