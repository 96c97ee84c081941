/** Pictures among token ids: each cell of a picture has the picture's own negative number, which no token has. */
import type { NativeImage, NativePart } from '../engine/index.js';
import { UsageError } from '../errors.js';

interface Held {
  readonly image: NativeImage;
  holderCount: number;
}

export class PictureIds {
  /** A picture that comes back is the same one. */
  readonly #ids = new WeakMap<NativeImage, number>();
  readonly #held = new Map<number, Held>();
  #last = 0;

  /** These pictures live, until they are let go as often as they were held: what stands behind them can be computed. */
  hold(images: readonly NativeImage[]): void {
    for (const image of images) {
      const id = this.#idOf(image);
      const held = this.#held.get(id) ?? { image, holderCount: 0 };
      held.holderCount++;
      this.#held.set(id, held);
    }
  }

  letGo(images: readonly NativeImage[]): void {
    for (const image of images) {
      const id = this.#idOf(image);
      const held = this.#held.get(id);
      if (held !== undefined && --held.holderCount === 0) this.#held.delete(id);
    }
  }

  /** Ids of parts; a picture counts as often as it takes cells. */
  idsOf(parts: readonly NativePart[]): number[] {
    return parts.flatMap((part) =>
      part instanceof Int32Array ? [...part] : new Array<number>(part.tokenCount).fill(this.#idOf(part)),
    );
  }

  /** The parts that ids stand for. @param ids no picture is cut in them, and all are held */
  partsOf(ids: readonly number[]): NativePart[] {
    const parts: NativePart[] = [];
    for (let at = 0; at < ids.length; ) {
      const id = ids[at] ?? 0;
      const picture = this.#held.get(id)?.image;
      if (picture === undefined && id < 0)
        throw new UsageError(
          'ERR_DISPOSED',
          'Expected a prompt whose pictures are still there, received one that was closed.',
        );
      let end = at;
      while (end < ids.length && (picture === undefined ? (ids[end] ?? 0) >= 0 : end < at + picture.tokenCount)) end++;
      parts.push(picture ?? Int32Array.from(ids.slice(at, end)));
      at = end;
    }
    return parts;
  }

  #idOf(image: NativeImage): number {
    const known = this.#ids.get(image);
    if (known !== undefined) return known;
    this.#last -= 1;
    this.#ids.set(image, this.#last);
    return this.#last;
  }
}
