/** Encoded pictures, kept by what they show: one is encoded once, whoever asks for it, as long as there is room. */
import { AbortError, throwIfAborted, UsageError } from '../errors.js';
import { KnownPicture, type Picture } from '../known-picture.js';
import type { NativeImage } from '../native/image-types.js';
import { SharedWork } from '../shared-work.js';
import type { PictureForm } from '../types/picture.js';
import type { Model } from './model.js';
import type { EncodeImageOptions } from './model-options.js';

/** Bytes of pictures that nobody uses; LLaVA-1.5's take 9.4 MiB each in a model of 7B. */
const KEPT_BYTES = 64 * 2 ** 20;

/** A picture that is kept at least until it is given back. */
export interface BorrowedImage {
  /** For prompts of this model's contexts. */
  readonly image: NativeImage;
  /** Gives it back. Idempotent. */
  release(): void;
}

/** What `borrow` takes beside the picture. */
export interface BorrowOptions extends EncodeImageOptions {
  /** The rows that the projector makes of it, or the text that is nearest to these: {@link Model.nearestText}. @default 'rows' */
  form?: PictureForm | undefined;
}

interface Entry {
  userCount: number;
  /** Once it is encoded. */
  encoded: NativeImage | undefined;
}

/** Made by whoever owns the model; disposed of with it. */
export class EncodedImages {
  readonly #model: Model;
  readonly #keptBytes: number;
  /** By key, the one used longest ago first. */
  readonly #entries = new Map<string, Entry>();
  readonly #encoding = new SharedWork<NativeImage>();
  #isDisposed = false;

  /** @param keptBytes of embeddings that nobody uses, at most */
  constructor(model: Model, keptBytes = KEPT_BYTES) {
    this.#model = model;
    this.#keptBytes = keptBytes;
  }

  /**
   * The encoded picture; the same object for the same pixels in the same form while it is kept. Who asks while it is being
   * encoded waits for that, and it is given up when nobody waits any more. Pixels are wanted of one that is not there alone.
   *
   * @throws as {@link Model.encodeImage} and {@link Model.nearestText}
   */
  async borrow(picture: Picture, options: BorrowOptions = {}): Promise<BorrowedImage> {
    const { signal, form = 'rows' } = options;
    this.#checkOpen();
    const known = await KnownPicture.of(picture, signal);
    const key = `${form} ${await known.key()}`;
    throwIfAborted(signal);
    this.#checkOpen();
    const entry = this.#entries.get(key) ?? { userCount: 0, encoded: undefined };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.userCount++;
    try {
      const image =
        entry.encoded ?? (await this.#encoding.run(key, (heard) => this.#encode(known, form, entry, heard), signal));
      let isHeld = true;
      const release = () => {
        if (!isHeld) return;
        isHeld = false;
        this.#giveBack(key, entry);
      };
      return { image, release };
    } catch (error) {
      this.#giveBack(key, entry);
      throw this.#isDisposed && signal?.aborted !== true ? disposed() : error;
    }
  }

  /** Lets go of all that nobody uses. */
  clear(): void {
    this.#shrink(0);
  }

  /** Lets go of everything, also of what is used. Idempotent. */
  dispose(): void {
    this.#isDisposed = true;
    this.#encoding.abort();
    for (const [key, entry] of this.#entries) this.#drop(key, entry);
  }

  async #encode(picture: KnownPicture, form: PictureForm, entry: Entry, signal: AbortSignal): Promise<NativeImage> {
    this.#checkOpen();
    const image =
      form === 'rows'
        ? await this.#model.encodeImage(await picture.pixels(), { signal })
        : await this.#nearestText(picture, signal);
    if (signal.aborted) {
      image.dispose(); // nobody waits for it
      throw new AbortError(signal);
    }
    entry.encoded = image;
    return image;
  }

  async #nearestText(picture: KnownPicture, signal: AbortSignal): Promise<NativeImage> {
    const rows = await this.borrow(picture, { signal });
    try {
      return await this.#model.nearestText(rows.image, { signal });
    } finally {
      rows.release();
    }
  }

  #checkOpen(): void {
    if (this.#isDisposed) throw disposed();
  }

  #giveBack(key: string, entry: Entry): void {
    entry.userCount--;
    if (entry.userCount === 0 && entry.encoded === undefined) this.#drop(key, entry);
    this.#shrink(this.#keptBytes);
  }

  #shrink(keptBytes: number): void {
    const idle = [...this.#entries].filter(([, { userCount }]) => userCount === 0);
    let bytes = idle.reduce((sum, [, { encoded }]) => sum + (encoded?.embeddingBytes ?? 0), 0);
    for (const [key, entry] of idle) {
      if (bytes <= keptBytes) return;
      bytes -= entry.encoded?.embeddingBytes ?? 0;
      this.#drop(key, entry);
    }
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.encoded?.dispose();
  }
}

function disposed(): UsageError {
  return new UsageError('ERR_DISPOSED', 'Expected a loaded model, received one that was disposed of.');
}
