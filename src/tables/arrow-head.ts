/**
 * The head of a message of Arrow (format/Message.fbs and Schema.fbs), held within its bytes before a library reads it: that one
 * believes every length.
 */
import { FlatTable } from './flat-table.js';

/** Kinds of messages. */
export const SCHEMA = 1;
export const DICTIONARY = 2;
export const BATCH = 3;

/** Arrow's fourth version, since which a place in a body is two numbers. */
const VERSION_4 = 3;
/** Of Arrow's types. */
const DECIMAL = 7;
/** Digits of the widest decimal; a scale beyond it would be a power of ten without end. */
const MOST_DIGITS = 76;
const MOST_FIELDS = 100_000;
/** A bit is the least that a value takes. */
const VALUES_OF_A_BYTE = 8;

/** Where something lies in a body, in bytes. */
interface Region {
  readonly offset: number;
  readonly length: number;
}

export interface ArrowHead {
  /** 0 for none. */
  readonly kind: number;
  readonly bodyLength: number;
  /** Of a schema: the types of what dictionaries hold, by their ids. */
  readonly dictionaryTypes: ReadonlyMap<number, number>;
  /** Of a dictionary. */
  readonly dictionary: { readonly id: number; readonly valueCount: number; readonly regions: readonly Region[] } | null;
}

/** @throws RangeError for what leads out of it, or cannot be */
export function arrowHead(view: DataView): ArrowHead {
  const message = FlatTable.root(view);
  const kind = message.uint8(1, 0);
  const bodyLength = message.int64(3, 0);
  if (bodyLength < 0) throw new RangeError('a message of a negative size'); // whoever goes on behind it would come back
  const header = message.table(2);
  const head = { kind, bodyLength, dictionaryTypes: new Map<number, number>(), dictionary: null };
  if (header === null) return head;
  if (message.uint8(0, 0) < VERSION_4) throw new RangeError('a form before its fourth version');
  if (kind === SCHEMA) return { ...head, dictionaryTypes: dictionaryTypesOf(header) };
  if (kind === BATCH) checkBatch(header, bodyLength);
  if (kind !== DICTIONARY) return head;
  const data = header.table(1);
  if (data === null) throw new RangeError('a dictionary without values');
  checkBatch(data, bodyLength);
  const regions = data.pairs(2).map(([offset, length]) => ({ offset, length }));
  return { ...head, dictionary: { id: header.int64(0, 0), valueCount: data.pairs(1)[0]?.[0] ?? 0, regions } };
}

/** Of a schema that was looked at. */
function dictionaryTypesOf(schema: FlatTable): ReadonlyMap<number, number> {
  const types = new Map<number, number>();
  let fieldCount = 0;
  const look = (field: FlatTable) => {
    if (++fieldCount > MOST_FIELDS) throw new RangeError(`more than ${MOST_FIELDS} columns`);
    const type = field.uint8(2, 0);
    if (type === DECIMAL && Math.abs(field.table(3)?.int32(1, 0) ?? 0) > MOST_DIGITS)
      throw new RangeError(`a decimal of more than ${MOST_DIGITS} digits`);
    checkTexts(field, 6);
    const children = [...field.tables(5)];
    const dictionary = field.table(4);
    if (dictionary !== null && children.length > 0) throw new RangeError('a dictionary of lists, which is not read');
    if (dictionary !== null) types.set(dictionary.int64(0, 0), type);
    for (const child of children) look(child);
  };
  checkTexts(schema, 2);
  for (const field of schema.tables(1)) look(field);
  return types;
}

/** A list of keys and values. */
function checkTexts(table: FlatTable, field: number): void {
  for (const pair of table.tables(field)) {
    pair.itemCount(0, 1);
    pair.itemCount(1, 1);
  }
}

function checkBatch(batch: FlatTable, bodyLength: number): void {
  if (batch.table(3) !== null) throw new RangeError('it is compressed');
  const most = bodyLength * VALUES_OF_A_BYTE;
  for (const [valueCount, nullCount] of batch.pairs(1))
    if (valueCount < 0 || valueCount > most || nullCount < 0)
      throw new RangeError('more values than its bytes can hold');
  for (const [offset, length] of batch.pairs(2))
    if (offset < 0 || length < 0 || offset + length > bodyLength) throw new RangeError('values outside of its bytes');
  batch.itemCount(4, 8);
}
