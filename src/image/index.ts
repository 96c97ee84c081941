/** Picture files to pixels, and pixels to files. */
export { type DecodeImageOptions, decodeEncoded, decodeImage, openEncoded } from './decode.js';
export { encodeJpeg, encodePng, jpegUrl, thumbnailUrl } from './encode.js';
export type { OpenedPicture } from './format.js';
export { imageLibrary } from './sharp.js';
export { isPixels, readSource, takeSource } from './source.js';
