/** Which files are read as pictures, and what an opened one offers. */
import type { RgbImage } from '../types/picture.js';

/** As sharp calls them; bitmaps are read beside it. SVG and PDF are programs that draw, and may read other files. */
export const FORMATS: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']);

/** For messages. */
export const FORMAT_NAMES = 'JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP';

/** A file whose head was read: its size is known before memory is taken for its pixels. */
export interface OpenedPicture {
  readonly width: number;
  readonly height: number;
  /**
   * Gives the event loop its turns.
   *
   * @throws ImageError ERR_IMAGE_UNREADABLE for pixels in a form that is not read here, or a file that is cut off;
   *   AbortError
   */
  decode(signal: AbortSignal | undefined): Promise<RgbImage>;
}
