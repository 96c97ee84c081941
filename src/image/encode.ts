/** Pixels to files. */
import type { ImageSource, RgbImage } from '../types/picture.js';
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

/** What a picture is made smaller to. */
export interface JpegOptions {
  /** The longer side is at most this, in pixels. */
  readonly side: number;
  /** 1 to 100. */
  readonly quality: number;
  /** Whether colours are as sharp as brightness. @default '4:2:0' */
  readonly chromaSubsampling?: '4:2:0' | '4:4:4';
}

/** A picture as a small `data:` URL, for reports. @throws as {@link decodeImage} */
export async function thumbnailUrl(source: ImageSource, side: number): Promise<string> {
  return await jpegUrl(source, { side, quality: 80 });
}

/** A picture as a `data:` URL of a JPEG. @throws as {@link decodeImage} */
export async function jpegUrl(
  source: ImageSource,
  { side, quality, chromaSubsampling = '4:2:0' }: JpegOptions,
): Promise<string> {
  const { data, width, height } = await decodeImage(source);
  const sharp = await loadSharp();
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality, chromaSubsampling })
    .toBuffer();
  return `data:image/jpeg;base64,${bytes.toString('base64')}`;
}
