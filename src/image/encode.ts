/** Pixels to files. */
import type { ImageSource, RgbImage } from '../types.js';
import { decodeImage } from './decode.js';
import { loadSharp } from './sharp.js';

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
