/** The pictures of a request, as a judge that sees them is shown them. */
import { jpegUrl } from '../image/index.js';
import type { ImageSource } from '../types/picture.js';
import type { ChatModel } from './chat-model.js';

/** Longer side in pixels: what the larger models take at most; a larger picture is made smaller. */
const SIDE = 2048;
/** Of the JPEG, 1 to 100: small writing stays readable. */
const QUALITY = 92;

/** None for a judge that does not see pictures. */
export function shownTo(
  { seesPictures }: Pick<ChatModel, 'seesPictures'>,
  images: readonly ImageSource[] = [],
): readonly ImageSource[] {
  return seesPictures ? images : [];
}

/** For a judge at an address: turned as the file says, sRGB, without what else the file tells. @throws as decodeImage */
export function judgedUrl(source: ImageSource): Promise<string> {
  return jpegUrl(source, { side: SIDE, quality: QUALITY, chromaSubsampling: '4:4:4' });
}
