/** Pictures among token ids: each cell of a picture has the picture's own negative number, which no token has. */
import type { NativeImage, NativePart } from '../engine/index.js';
import { UsageError } from '../errors.js';

export class PictureIds {
  readonly #pictures = new Map<number, NativeImage>();
  #last = 0;

  /** Ids of parts; a picture counts as often as it takes cells. Remembered until {@link forget}. */
  idsOf(parts: readonly NativePart[]): number[] {
    return parts.flatMap((part) =>
      part instanceof Int32Array ? [...part] : new Array<number>(part.tokenCount).fill(this.#idOf(part)),
    );
  }

  /** The parts that ids stand for. @param ids no picture is cut in them */
  partsOf(ids: readonly number[]): NativePart[] {
    const parts: NativePart[] = [];
    for (let at = 0; at < ids.length; ) {
      const id = ids[at] ?? 0;
      const picture = this.#pictures.get(id);
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

  /** What was made of these pictures cannot be computed again. */
  forget(images: readonly NativeImage[]): void {
    for (const [id, image] of this.#pictures) if (images.includes(image)) this.#pictures.delete(id);
  }

  #idOf(image: NativeImage): number {
    for (const [id, known] of this.#pictures) if (known === image) return id;
    this.#last -= 1;
    this.#pictures.set(this.#last, image);
    return this.#last;
  }
}
