/** Which picture a file shows, from one request to the next: one that was decoded before need not be decoded to be known. */
import { decodeEncoded, decodeImage, isPixels, readSource } from '../image/index.js';
import { KnownPicture } from '../known-picture.js';
import { bytesKey, pictureKey, type SharedPicture, sharePicture } from '../shared-picture.js';
import { SharedWork } from '../shared-work.js';
import type { ImageSource } from '../types/picture.js';

/** Files that are remembered, a hundred bytes each: as many as CLIP keeps embeddings of. */
const MOST_FILES = 1024;

export class KnownPictures {
  /** What tells the picture from others, by what tells its file from others; the one used longest ago first. */
  readonly #keys = new Map<string, string>();
  readonly #decoding = new SharedWork<SharedPicture>();
  readonly #maxPixels: number | undefined;
  /** Raised when all are forgotten: what is being decoded then is not remembered either. */
  #epoch = 0;

  /** @param maxPixels of a picture; undefined: as `decodeImage` */
  constructor(maxPixels?: number) {
    this.#maxPixels = maxPixels;
  }

  /** The picture of a source, decoded whatever was decoded before, and not remembered. @throws as `decodeImage` */
  async fresh(source: ImageSource, signal: AbortSignal): Promise<KnownPicture> {
    return await KnownPicture.of(await decodeImage(source, { signal, maxPixels: this.#maxPixels }), signal);
  }

  /**
   * The picture of a source. Every byte of a file is read and hashed, because neither its name nor its times tell for certain
   * that it is the same; where the bytes were decoded before, they are decoded again only for whoever wants the pixels. Who
   * asks for a file that is being decoded waits for that.
   *
   * @throws as `decodeImage`
   */
  async of(source: ImageSource, signal: AbortSignal): Promise<KnownPicture> {
    if (isPixels(source)) return await this.fresh(source, signal);
    const maxPixels = this.#maxPixels;
    const epoch = this.#epoch;
    const encoded = await readSource(source, signal);
    const file = await bytesKey(encoded.bytes);
    const decode = () =>
      this.#decoding.run(
        file,
        async (heard) => await sharePicture(await decodeEncoded(encoded, { signal: heard, maxPixels }), heard),
        signal,
      );
    const known = this.#keys.get(file);
    if (known !== undefined) {
      this.#remember(file, known);
      return new KnownPicture(decode, known);
    }
    const picture = await decode();
    const key = await pictureKey(picture);
    if (epoch === this.#epoch) this.#remember(file, key);
    return new KnownPicture(async () => picture, key);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#epoch++;
    this.#keys.clear();
  }

  #remember(file: string, key: string): void {
    this.#keys.delete(file);
    this.#keys.set(file, key);
    const oldest = this.#keys.keys().next().value;
    if (this.#keys.size > MOST_FILES && oldest !== undefined) this.#keys.delete(oldest);
  }
}
