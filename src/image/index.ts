/** Picture files to pixels, and pixels to files. */
export { type DecodeImageOptions, decodeImage } from './decode.js';
export { encodeJpeg, encodePng, thumbnailUrl } from './encode.js';
export { imageLibrary } from './sharp.js';
export { takeSource } from './source.js';
