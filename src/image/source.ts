/** What a caller names as a picture: taken at the call, and read to bytes when its turn comes. */
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { ImageError, throwIfAborted } from '../errors.js';
import { describe, describePath } from '../options.js';
import { copyBytes, takeBytes, takePicture } from '../shared-picture.js';
import type { ImageSource, RgbImage } from '../types/picture.js';
import { readDataUrl } from './data-url.js';
import { FORMAT_NAMES } from './format.js';

/** An encoded file beyond this is refused unread, in bytes. */
const MAX_FILE_BYTES = 512 * 2 ** 20;

/** Of a URL: those that are known, and whatever has two slashes behind it. A drive of Windows has one letter. */
const SCHEME = /^((?:https?|data|file):|[a-z][\w+.-]+:(?=\/\/))/i;

/** A picture file that was read. */
export interface EncodedPicture {
  /** Nobody else's. */
  readonly bytes: Uint8Array;
  /** How a message calls it. */
  readonly what: string;
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

/** @throws ImageError ERR_IMAGE_UNREADABLE for what is no source of a picture at all */
export function isPixels(source: ImageSource): source is RgbImage {
  if (typeof source === 'string' || source instanceof URL || types.isUint8Array(source)) return false;
  if (source !== null && typeof source === 'object') return true;
  throw new ImageError(
    'ERR_IMAGE_UNREADABLE',
    `Expected a path, a URL, bytes or pixels { data, width, height }, received ${describe(source)}.`,
  );
}

/**
 * The bytes of an encoded picture.
 *
 * @throws ImageError ERR_IMAGE_NOT_FOUND, ERR_IMAGE_UNREADABLE, ERR_IMAGE_TOO_LARGE; AbortError
 */
export async function readSource(
  source: string | URL | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<EncodedPicture> {
  if (types.isUint8Array(source)) return { bytes: await copyBytes(source, signal), what: 'The picture' };
  const text = source instanceof URL ? source.href : source;
  const scheme = source instanceof URL ? source.protocol : SCHEME.exec(text)?.[1]?.toLowerCase();
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
      `The picture ${describePath(text)} is no valid file: URL. Expected file:///path/to/picture.`,
      { cause },
    );
  }
  return { bytes: await readPath(path, signal), what: `The picture ${describePath(path)}` };
}

async function readPath(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const what = `The picture ${describePath(path)}`;
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
      `${what} cannot be read (${code ?? (cause as Error).message}). Check the name and its permissions.`,
      { cause },
    );
  }
}
