/** A picture as whoever computes something of it takes it: told from others first, its pixels only where they are wanted. */
import { pictureKey, type SharedPicture, sharePicture } from './shared-picture.js';
import type { RgbImage } from './types/picture.js';

/** A picture that is known before its pixels are there. */
export interface LatePicture {
  /** What tells its pixels from others: whoever makes one vouches that no other picture has it. */
  key(): Promise<string>;
  /** Its pixels; asked for where something has to be computed of them. */
  pixels(): Promise<RgbImage>;
}

/** Pixels, or a picture that is known before they are there. */
export type Picture = RgbImage | LatePicture;

/** An object with pixels is a picture, whatever else it holds. */
function isLate(picture: Picture): picture is LatePicture {
  return typeof picture === 'object' && picture !== null && 'pixels' in picture && !('data' in picture);
}

export class KnownPicture implements LatePicture {
  readonly #decode: () => Promise<SharedPicture>;
  #key: Promise<string> | undefined;
  #pixels: Promise<SharedPicture> | undefined;

  /** @throws as {@link sharePicture} */
  static async of(picture: Picture, signal?: AbortSignal): Promise<KnownPicture> {
    if (picture instanceof KnownPicture) return picture;
    if (isLate(picture))
      return new KnownPicture(async () => await sharePicture(await picture.pixels(), signal), await picture.key());
    const shared = await sharePicture(picture, signal);
    return new KnownPicture(async () => shared);
  }

  /**
   * @param decode gives its pixels; asked once at most
   * @param key where it is known: that of {@link pictureKey}, of these pixels
   */
  constructor(decode: () => Promise<SharedPicture>, key?: string) {
    this.#decode = decode;
    this.#key = key === undefined ? undefined : Promise.resolve(key);
  }

  /** What tells pictures apart: see {@link pictureKey}. @throws what decoding throws, where that is needed for it */
  key(): Promise<string> {
    this.#key ??= this.pixels().then(pictureKey);
    return this.#key;
  }

  /** @throws what decoding throws */
  pixels(): Promise<SharedPicture> {
    this.#pixels ??= this.#decode();
    return this.#pixels;
  }
}
