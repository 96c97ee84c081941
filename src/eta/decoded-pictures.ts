/** The pictures of a request, read a few at a time, in order, no faster than they are taken. */
import { orAbort } from '../abort.js';
import type { KnownPicture } from '../known-picture.js';
import type { ImageSource } from '../types/picture.js';
import type { WorkGroup } from '../work-group.js';
import type { KnownPictures } from './known-pictures.js';

/** Open files and decoders; what is decoded ahead of the encoder is in memory. */
const AT_ONCE = 8;

export class DecodedPictures {
  readonly count: number;
  readonly #sources: readonly ImageSource[];
  readonly #read: (source: ImageSource, signal: AbortSignal) => Promise<KnownPicture>;
  readonly #group: WorkGroup;
  readonly #begun: Promise<KnownPicture>[] = [];
  readonly #whole: Promise<readonly KnownPicture[]>;
  #complete: (pictures: Promise<readonly KnownPicture[]>) => void = () => undefined;

  /**
   * @param files what earlier requests found out of them, which is looked at with `reuse` alone
   * @param group what the decoding belongs to: it fails with it
   */
  constructor(sources: readonly ImageSource[], files: KnownPictures, reuse: boolean, group: WorkGroup) {
    this.count = sources.length;
    this.#sources = sources;
    this.#read = (source, signal) => (reuse ? files.of(source, signal) : files.fresh(source, signal));
    this.#group = group;
    this.#whole = new Promise((resolve) => {
      this.#complete = resolve;
    });
    this.#whole.catch(() => undefined); // the group tells it, and a method that judges no picture asks for none
    if (this.count === 0) this.#complete(Promise.resolve([]));
  }

  /** The picture at an index, in memory that CLIP and the language model's encoder both read, if any; the next ones are begun. */
  async at(index: number): Promise<KnownPicture> {
    while (this.#begun.length < Math.min(this.count, index + AT_ONCE)) this.#begin();
    return await (this.#begun[index] as Promise<KnownPicture>);
  }

  /** All of them, once the last is known. @throws AbortError when the group ends before that */
  async all(): Promise<readonly KnownPicture[]> {
    return await orAbort(this.#whole, this.#group.signal);
  }

  #begin(): void {
    const source = this.#sources[this.#begun.length] as ImageSource;
    this.#begun.push(this.#group.start((signal) => this.#read(source, signal)));
    if (this.#begun.length === this.count) this.#complete(Promise.all(this.#begun));
  }
}
