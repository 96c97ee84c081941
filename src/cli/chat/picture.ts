/** A picture that somebody named. */
import { decodeImage } from '../../image/index.js';
import type { RgbImage } from '../../types.js';
import { atHome } from './words.js';

export interface Picture {
  /** A path from here or from the root, or a URL. */
  readonly name: string;
  readonly image: RgbImage;
}

/** @throws ImageError; AbortError */
export async function readPicture(path: string, signal: AbortSignal): Promise<Picture> {
  const name = atHome(path);
  return { name, image: await decodeImage(name, { signal }) };
}
