/** A picture that somebody named. */
import { basename } from 'node:path';
import { type DecodeImageOptions, decodeImage } from '../../image/index.js';
import { picturePath } from '../../outputs/index.js';
import type { RgbImage } from '../../types/picture.js';
import { atHome } from './words.js';

export interface Picture {
  /** A path from here or from the root, or a URL. */
  readonly name: string;
  readonly image: RgbImage;
}

/** What a line calls it: a data: URL may be megabytes long. */
export function labelOf({ name }: Picture): string {
  const path = picturePath(name);
  return path === null ? 'a picture of a data: URL' : basename(path);
}

/** @throws ImageError; AbortError */
export async function readPicture(path: string, options: DecodeImageOptions): Promise<Picture> {
  const name = atHome(path);
  return { name, image: await decodeImage(name, options) };
}
