/** Pictures of a request to pixels: what a client may name, how many, and how large. */
import { ImageError, ServerError, throwIfAborted, UsageError } from '../errors.js';
import { type OpenedPicture, openEncoded, readSource } from '../image/index.js';
import { describe } from '../options.js';
import type { ImageSource, RgbImage } from '../types/picture.js';
import type { Turn } from '../types/turn.js';
import { fetchPicture } from './fetched-picture.js';
import type { Settings } from './options.js';
import type { PixelRoom } from './pixel-room.js';

type Limits = Pick<
  Settings,
  'maxPictures' | 'maxPixels' | 'maxBodyBytes' | 'fetchPictures' | 'lookup' | 'pictureHosts'
>;

/**
 * Refuses what the server must not read: paths and file: addresses, which would be its own user's files, and addresses
 * elsewhere where it was not told to fetch.
 *
 * @throws UsageError ERR_INVALID_REQUEST
 */
export function checkPictures(turns: readonly Turn[], { maxPictures, fetchPictures }: Limits): void {
  const pictures = turns.flatMap(({ images = [] }) => images);
  if (pictures.length > maxPictures)
    throw invalid(`expected at most ${maxPictures} pictures, received ${pictures.length}. Show fewer.`);
  for (const [index, picture] of pictures.entries()) {
    const scheme = typeof picture === 'string' ? /^(data|https?):/i.exec(picture)?.[1]?.toLowerCase() : undefined;
    if (scheme === 'data' || (scheme !== undefined && fetchPictures)) continue;
    const expected = fetchPictures ? 'a data:, http: or https: URL' : 'a data: URL with its bytes in base64';
    const advice = scheme === undefined ? adviceOn(picture) : NOT_FETCHED;
    throw invalid(`image_url.${index}: expected ${expected}, received ${describe(picture)}. ${advice}`);
  }
}

const NOT_FETCHED =
  'Addresses are not fetched here, unless the server is started with --fetch-pictures (fetchPictures).';

/** Hardly a path is so long without a dot: these are bytes in base64 whose beginning was forgotten. */
function adviceOn(picture: ImageSource): string {
  const isBare = typeof picture === 'string' && /^[\w+/]{256}/.test(picture);
  return isBare
    ? "Put 'data:image/png;base64,' before the bytes, with the format that they have."
    : 'Paths are not read.';
}

/** Turns with their pixels in memory. */
export interface ShownTurns {
  readonly turns: readonly Turn[];
  /** Once nobody needs the pixels. Idempotent. */
  release(): void;
}

/**
 * The turns with pixels in place of what was named. Of every picture the head is read first, so that the bounds hold before
 * memory is taken; then they are decoded one after the other. A picture that stands twice is read once. A failure says which
 * of the request's pictures it is about, from 0: `image_url.0`.
 *
 * @throws ImageError; ServerError ERR_PICTURE_FETCH; AbortError
 */
export async function decodePictures(
  turns: readonly Turn[],
  limits: Limits,
  room: PixelRoom,
  signal: AbortSignal,
): Promise<ShownTurns> {
  const images = turns.flatMap(({ images: shown = [] }) => shown);
  const opened = new Map<ImageSource, Opened>();
  let count = 0;
  for (const [index, image] of images.entries()) {
    throwIfAborted(signal);
    if (opened.has(image)) continue;
    const what = images.length === 1 ? 'The picture' : `Picture ${index + 1} of ${images.length}`;
    const picture = await placed(index, () => open(image, what, limits.maxPixels - count, limits, signal));
    count += picture.width * picture.height;
    opened.set(image, { index, picture });
  }
  const release = await room.take(count, signal);
  try {
    const pixels = new Map<ImageSource, RgbImage>();
    for (const [image, { index, picture }] of opened) {
      pixels.set(image, await placed(index, () => picture.decode(signal)));
      throwIfAborted(signal);
    }
    const shown = turns.map(({ images = [], ...turn }) =>
      images.length === 0 ? turn : { ...turn, images: images.map((image) => pixels.get(image) as RgbImage) },
    );
    return { turns: shown, release };
  } catch (error) {
    release();
    throw error;
  }
}

interface Opened {
  /** Its place among the pictures of the request, the first where it stands twice. */
  readonly index: number;
  readonly picture: OpenedPicture;
}

/** What `read` gives; where it fails, the place of its picture stands before the sentence. */
async function placed<Value>(index: number, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (cause) {
    const place = `request: image_url.${index}`;
    if (cause instanceof ImageError) throw new ImageError(cause.code, `${place}: ${cause.message}`, { cause });
    if (cause instanceof ServerError) throw new ServerError(cause.code, `${place}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** @param what how a message calls it */
async function open(
  source: ImageSource,
  what: string,
  left: number,
  limits: Limits,
  signal: AbortSignal,
): Promise<OpenedPicture> {
  if (left < 1) throw tooManyPixels(limits.maxPixels);
  const isNamed = typeof source === 'string' && /^https?:/i.test(source);
  const named = source as string; // `checkPictures` lets nothing else pass
  const bytes = isNamed ? await fetchPicture(named, { ...limits, maxBytes: limits.maxBodyBytes, signal }) : named;
  try {
    const { bytes: read } = await readSource(bytes, signal);
    return await openEncoded({ bytes: read, what }, { maxPixels: left, signal });
  } catch (error) {
    if (error instanceof ImageError && error.code === 'ERR_IMAGE_TOO_LARGE')
      throw tooManyPixels(limits.maxPixels, error);
    throw error;
  }
}

function tooManyPixels(most: number, cause?: unknown): ImageError {
  return new ImageError(
    'ERR_IMAGE_TOO_LARGE',
    `expected at most ${most} pixels in all pictures together, received more. Shrink them: a model sees a few hundred pixels of each. Or start the server with more: --max-pixels (maxPixels).`,
    { cause },
  );
}

function invalid(message: string): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `request: ${message}`);
}
