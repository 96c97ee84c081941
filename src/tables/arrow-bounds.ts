/** Whether what a message of Arrow promises is there: lengths against values, offsets in order. */
import type { Column, Table } from '@uwdata/flechette';
import type { ArrowHead } from './arrow-head.js';

/** What the library has of a column's part, and does not look at. */
interface Part {
  readonly length: number;
  readonly type: { readonly typeId: number; readonly stride?: number };
  readonly values?: ArrayLike<unknown>;
  readonly offsets?: Offsets | null;
  readonly sizes?: Offsets;
  readonly children?: readonly Part[];
}

type Offsets = ArrayLike<number | bigint>;

/** Of Arrow's types. */
const NULL = 1;
const [BINARY, UTF8, LARGE_BINARY, LARGE_UTF8] = [4, 5, 19, 20];
const BOOL = 6;
const [UNION, FIXED_SIZE_BINARY, FIXED_SIZE_LIST, RUN_END] = [14, 15, 16, 22];
const BITS = 8;

/** Of one batch. @throws RangeError, where something is not there */
export function checkTable({ numRows, children }: Pick<Table, 'numRows' | 'children'>): void {
  for (const column of children as readonly Column<unknown>[])
    for (const part of column.data as unknown as readonly Part[]) {
      if (part.length !== numRows) throw new RangeError('columns of different lengths');
      checkPart(part);
    }
}

/**
 * A dictionary's texts, which the library makes at once.
 *
 * @param type of its values
 * @throws RangeError
 */
export function checkDictionary(
  { valueCount, regions }: NonNullable<ArrowHead['dictionary']>,
  type: number | undefined,
  body: Uint8Array,
): void {
  if (type === undefined) throw new RangeError('a dictionary of no column');
  const isLarge = type === LARGE_BINARY || type === LARGE_UTF8;
  if (!isLarge && type !== BINARY && type !== UTF8) return;
  const [, places = { offset: 0, length: 0 }, values] = regions;
  const bytes = body.slice(places.offset, places.offset + places.length);
  const offsets = isLarge ? new BigInt64Array(bytes.buffer) : new Int32Array(bytes.buffer);
  checkOffsets({ length: valueCount, offsets }, values?.length ?? 0);
}

function checkPart(part: Part): void {
  const { length, type, values, offsets, sizes, children = [] } = part;
  const { typeId, stride = 1 } = type;
  if (typeId === FIXED_SIZE_LIST) checkCount(children[0]?.length, length * stride);
  else if (typeId === FIXED_SIZE_BINARY) checkCount(values?.length, length * stride);
  else if (typeId === BOOL) checkCount((values?.length ?? 0) * BITS, length);
  else if (offsets && typeId !== UNION)
    checkOffsets({ length, offsets, sizes }, children[0]?.length ?? values?.length ?? 0);
  else if (values !== undefined) checkCount(values.length, length);
  else if (typeId !== UNION && typeId !== RUN_END && typeId !== NULL)
    for (const child of children) checkCount(child.length, length); // a struct's
  for (const child of children) checkPart(child);
}

function checkCount(count = 0, wanted: number): void {
  if (count < wanted) throw new RangeError('fewer values than rows');
}

function checkOffsets(
  {
    length,
    offsets,
    sizes,
  }: { readonly length: number; readonly offsets: Offsets; readonly sizes?: Offsets | undefined },
  end: number,
): void {
  const at = (list: Offsets, index: number) => Number(list[index] ?? Number.NaN);
  for (let row = 0; row < length; row++) {
    const from = at(offsets, row);
    const to = sizes === undefined ? at(offsets, row + 1) : from + at(sizes, row);
    if (!(from >= 0 && from <= to && to <= end)) throw new RangeError('values outside of its bytes');
  }
}
