/** A table of a FlatBuffer, read within its bytes: what leads out of them, or backwards, is refused. */

/** More of anything than a head of a message has. */
const MOST_ITEMS = 1_000_000;
const PAIR_BYTES = 16;

export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  private constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#vtable = at - view.getInt32(at, true);
    this.#vtableBytes = view.getUint16(this.#vtable, true);
  }

  /** @throws RangeError */
  static root(view: DataView): FlatTable {
    return new FlatTable(view, view.getUint32(0, true));
  }

  uint8(field: number, otherwise: number): number {
    const place = this.#placeOf(field);
    return place === null ? otherwise : this.#view.getUint8(place);
  }

  int32(field: number, otherwise: number): number {
    const place = this.#placeOf(field);
    return place === null ? otherwise : this.#view.getInt32(place, true);
  }

  int64(field: number, otherwise: number): number {
    const place = this.#placeOf(field);
    return place === null ? otherwise : Number(this.#view.getBigInt64(place, true));
  }

  /** Null where the field is absent. @throws RangeError */
  table(field: number): FlatTable | null {
    const place = this.#placeOf(field);
    return place === null ? null : new FlatTable(this.#view, this.#behind(place));
  }

  /** Items of a list of numbers; 0 where the field is absent. @throws RangeError for one that leads out */
  itemCount(field: number, itemBytes: number): number {
    return this.#list(field, itemBytes)?.count ?? 0;
  }

  /** A list of structs of two whole numbers; none where the field is absent. @throws RangeError */
  pairs(field: number): readonly (readonly [number, number])[] {
    const { start, count } = this.#list(field, PAIR_BYTES) ?? { start: 0, count: 0 };
    const at = (place: number) => Number(this.#view.getBigInt64(place, true));
    return Array.from({ length: count }, (_, item) => {
      const place = start + PAIR_BYTES * item;
      return [at(place), at(place + PAIR_BYTES / 2)] as const;
    });
  }

  /** None where the field is absent. @throws RangeError */
  *tables(field: number): Generator<FlatTable> {
    const list = this.#list(field, 4);
    for (let item = 0; item < (list?.count ?? 0); item++)
      yield new FlatTable(this.#view, this.#behind((list?.start ?? 0) + 4 * item));
  }

  #list(field: number, itemBytes: number): { readonly start: number; readonly count: number } | null {
    const place = this.#placeOf(field);
    if (place === null) return null;
    const base = this.#behind(place);
    const count = this.#view.getInt32(base, true);
    const start = base + 4;
    if (count < 0 || count > MOST_ITEMS || start + count * itemBytes > this.#view.byteLength)
      throw new RangeError('a list that is longer than its message');
    return { start, count };
  }

  #placeOf(field: number): number | null {
    const slot = 4 + 2 * field;
    if (slot + 2 > this.#vtableBytes) return null;
    const offset = this.#view.getUint16(this.#vtable + slot, true);
    return offset === 0 ? null : this.#at + offset;
  }

  /** Where an offset leads, which is forwards. */
  #behind(place: number): number {
    const offset = this.#view.getInt32(place, true);
    if (offset <= 0) throw new RangeError('an offset that leads backwards');
    return place + offset;
  }
}
