/** The one file that imports sharp, and only when a picture has to be decoded or encoded. */
import { ImageError } from '../errors.js';
import { FORMATS } from './format.js';

export type { Metadata, Sharp, SharpOptions } from 'sharp';

/** @throws ImageError ERR_IMAGE_UNREADABLE when it does not load */
export async function loadSharp() {
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

/**
 * The version of sharp, and the names of the formats that this build of it reads, such as "jpeg" and "avif".
 *
 * @throws as {@link loadSharp}
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
