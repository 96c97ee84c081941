/** Every format but bitmaps to pixels, by sharp, with PIL's values where sharp's are others. */
import { AbortError, ImageError } from '../errors.js';
import type { RgbImage } from '../types/picture.js';
import { FORMAT_NAMES, type OpenedPicture } from './format.js';
import { type GifFrame, onScreen, opaqueGif } from './gif.js';
import { heifCodec, nameAvif } from './heif.js';
import { toRgb, upperBytes } from './rgb.js';
import { loadSharp, type Metadata, type Sharp, type SharpOptions } from './sharp.js';
import { unreadTiff } from './tiff.js';

// failOn 'error' refuses truncated files and lets pass what decoders merely grumble about.
const SETTINGS: SharpOptions = { failOn: 'error', ignoreIcc: true, limitInputPixels: false, autoOrient: true };

/** Sample types that are levels of light as they stand; of floats and signed numbers nobody says which is white. */
const DEPTHS: ReadonlySet<string | undefined> = new Set(['uchar', 'ushort']);

/** How decoders say that a file is of a form they lack, rather than damaged; and that it is larger than they take. */
const LACKED =
  /not (?:supported|implemented|configured)|unsupported|support for|channel limit|whole number of bytes|samples out of range|labq|not \d+ bands/i;
const BEYOND = /maximum supported|security limit|too large|exceeds the maximum/i;

/**
 * @param bytes kept until the picture is decoded; those of a GIF or an AVIF are changed
 * @param name of the format that they begin as
 * @param what how a message calls the picture
 * @throws ImageError ERR_IMAGE_UNREADABLE for what is not read; AbortError
 */
export async function openWithSharp(
  bytes: Uint8Array,
  name: string,
  what: string,
  signal: AbortSignal | undefined,
): Promise<OpenedPicture> {
  if (name === 'HEIF') checkCodec(bytes, what);
  if (name === 'TIFF') checkTiff(bytes, what);
  const sharp = await loadSharp();
  const gifFrame = name === 'GIF' ? await opaqueGif(bytes, what, signal) : undefined;
  let picture: Sharp;
  let facts: Metadata;
  try {
    picture = sharp(bytes, SETTINGS);
    facts = await picture.metadata();
  } catch (cause) {
    throw notDecoded(name, what, cause);
  }
  return {
    width: gifFrame?.screenWidth ?? facts.width,
    height: gifFrame?.screenHeight ?? facts.height,
    decode: async (signal) => {
      checkSamples(facts, what);
      try {
        return await pixelsOf(picture, facts, gifFrame, signal);
      } catch (cause) {
        if (cause instanceof AbortError || cause instanceof RangeError) throw cause;
        throw notDecoded(name, what, cause);
      }
    },
  };
}

/** @throws ImageError ERR_IMAGE_UNREADABLE for a HEIF of another codec than AV1, whatever its name and brand say */
function checkCodec(bytes: Uint8Array, what: string): void {
  const codec = heifCodec(bytes);
  if (codec === 'AV1') nameAvif(bytes);
  if (codec === 'AV1' || codec === undefined) return;
  const asHeic = codec === 'HEVC' ? ', as HEIC is,' : ' in HEIF,';
  throw new ImageError(
    'ERR_IMAGE_UNREADABLE',
    `${what} is compressed with ${codec}${asHeic} which is not read here. Expected ${FORMAT_NAMES}: convert it to JPEG or PNG first.`,
  );
}

/** @throws ImageError ERR_IMAGE_UNREADABLE for one that would be read wrongly, or not at all */
function checkTiff(bytes: Uint8Array, what: string): void {
  const reason = unreadTiff(bytes);
  if (reason === undefined) return;
  throw new ImageError(
    'ERR_IMAGE_UNREADABLE',
    `${what} is a TIFF ${reason}. Expected RGB, grey, a palette or CMYK of 8 or 16 bits: convert it to PNG first.`,
  );
}

/** @throws ImageError ERR_IMAGE_UNREADABLE for samples that sharp gives as numbers, but not as the colours they mean */
function checkSamples({ space, depth, channels }: Metadata, what: string): void {
  if (DEPTHS.has(depth) && space !== 'multiband') return;
  const samples = space === 'multiband' ? `${channels} bands` : depth;
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
  // Inks of 16 bits are not scaled to 8 by libvips, but cut off.
  const isWide = isCmyk && facts.depth === 'ushort';
  const { data, info } = await pipeline
    .raw({ depth: isWide ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const samples = isWide ? await upperBytes(data, signal) : data;
  const pixels = info.channels === 3 ? samples : await toRgb(samples, info.channels, isCmyk, signal);
  const image = { data: pixels, width: info.width, height: info.height };
  return gifFrame === undefined ? image : await onScreen(image, gifFrame, signal);
}

function notDecoded(name: string, what: string, cause: unknown): ImageError {
  const reason = ((cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '')
    .replace(/^Input (?:buffer|file) (?:has corrupt header|contains unsupported image format)(?:: )?/, '')
    .replace(/^\W+$/, '');
  const told = reason === '' ? '' : ` (${reason})`;
  if (BEYOND.test(reason))
    return new ImageError(
      'ERR_IMAGE_TOO_LARGE',
      `${what} is larger than a decoder of ${name} takes${told}. Expected a smaller one: shrink it first.`,
      { cause },
    );
  const orConvert = name === 'TIFF' ? ', or convert it to PNG first' : '';
  const message = LACKED.test(reason)
    ? `is of a form of ${name} that is not read here${told}. Expected ${FORMAT_NAMES}: convert it to JPEG or PNG first.`
    : `is damaged or incomplete${told}. Expected a whole ${name} file: fetch it again${orConvert}.`;
  return new ImageError('ERR_IMAGE_UNREADABLE', `${what} ${message}`, { cause });
}
