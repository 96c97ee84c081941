/** The pictures of a request, decoded a few at a time, in order, no faster than they are taken. */
import { orAbort } from '../abort.js';
import { decodeImage } from '../image/index.js';
import { type SharedPicture, sharePicture } from '../shared-picture.js';
import type { ImageSource } from '../types.js';
import type { WorkGroup } from '../work-group.js';

/** Open files and decoders; what is decoded ahead of the encoder is in memory. */
const AT_ONCE = 8;

export class DecodedPictures {
  readonly count: number;
  readonly #sources: readonly ImageSource[];
  readonly #group: WorkGroup;
  readonly #begun: Promise<SharedPicture>[] = [];
  readonly #whole: Promise<readonly SharedPicture[]>;
  #complete: (pictures: Promise<readonly SharedPicture[]>) => void = () => undefined;

  /** @param group what the decoding belongs to: it fails with it */
  constructor(sources: readonly ImageSource[], group: WorkGroup) {
    this.count = sources.length;
    this.#sources = sources;
    this.#group = group;
    this.#whole = new Promise((resolve) => {
      this.#complete = resolve;
    });
    this.#whole.catch(() => undefined); // the group tells it, and a method that judges no picture asks for none
    if (this.count === 0) this.#complete(Promise.resolve([]));
  }

  /** The picture at an index, in memory that CLIP and the language model's encoder both read; the next ones are begun. */
  async at(index: number): Promise<SharedPicture> {
    while (this.#begun.length < Math.min(this.count, index + AT_ONCE)) this.#begin();
    return await (this.#begun[index] as Promise<SharedPicture>);
  }

  /** All of them, once the last is decoded. @throws AbortError when the group ends before that */
  async all(): Promise<readonly SharedPicture[]> {
    return await orAbort(this.#whole, this.#group.signal);
  }

  #begin(): void {
    const source = this.#sources[this.#begun.length] as ImageSource;
    const decode = async (signal: AbortSignal) => await sharePicture(await decodeImage(source, { signal }), signal);
    this.#begun.push(this.#group.start(decode));
    if (this.#begun.length === this.count) this.#complete(Promise.all(this.#begun));
  }
}
