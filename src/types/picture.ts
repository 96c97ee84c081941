/** A picture: pixels, where they come from, and what of them is shown. */

/** A decoded picture: 8-bit RGB, row-major, no alpha; `data.length === width * height * 3`. */
export interface RgbImage {
  /** Red, green, blue of each pixel, row by row: width × height × 3 bytes. */
  readonly data: Uint8Array;
  /** In pixels, >= 1. */
  readonly width: number;
  /** In pixels, >= 1. */
  readonly height: number;
}

/** Where a picture comes from: a file path, a `file:` or `data:` URL, encoded bytes, or pixels. */
export type ImageSource = string | URL | Uint8Array | RgbImage;

/**
 * What the language model is shown of a picture. `rows`: what its projector makes of it. `nearestText`: in the place of each row
 * the token of its vocabulary that is nearest to it, as section 4.1 of the paper does.
 */
export type PictureForm = 'rows' | 'nearestText';
