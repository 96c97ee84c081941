/**
 * One column of a row group of a parquet file, a page at a time: a column may be gigabytes of pictures, a page is about one
 * MiB. Pages follow each other, each behind a header that tells its size.
 */
import type { ColumnMetaData, Compressors, DecodedArray, SchemaTree } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import type { FileBytes } from './file-bytes.js';

/** What a header takes at most; statistics in it may hold values. */
const HEADER_BYTES = [2 ** 10, 2 ** 16, 2 ** 24] as const;

/** What is read at once, and held until its pages are. */
const WINDOW_BYTES = 2 ** 18;

type Decoder = Parameters<typeof readPage>[2];
type PageHeader = Parameters<typeof readPage>[1];

/** A column whose values are plain; of a struct, one for each of its fields. */
export class ParquetPages {
  /** Names from the top-level column down. */
  readonly path: readonly string[];
  readonly #file: FileBytes;
  readonly #decoder: Decoder;
  /** Whether a row may hold several values, so that it may go on in the next page. */
  readonly #isRepeated: boolean;
  readonly #isText: boolean;
  #at: number;
  readonly #end: number;
  #dictionary: DecodedArray | undefined;
  /** Rows that were read, and the first of them that was not taken. */
  #read: DecodedArray = [];
  #taken = 0;
  #window: { readonly start: number; readonly bytes: Uint8Array<ArrayBuffer> } = { start: 0, bytes: new Uint8Array(0) };

  constructor(file: FileBytes, meta: ColumnMetaData, schemaPath: SchemaTree[], compressors: Compressors) {
    this.path = meta.path_in_schema;
    this.#file = file;
    const element = schemaPath.at(-1)?.element ?? { name: '' };
    this.#isText = isText(element);
    this.#decoder = {
      ...meta,
      pathInSchema: meta.path_in_schema,
      // Texts are decoded where a row is made: a page may hold a hundred thousand.
      element: this.#isText ? { ...element, converted_type: undefined, logical_type: undefined } : element,
      schemaPath,
      compressors,
      parsers: DEFAULT_PARSERS,
      utf8: false,
    };
    this.#isRepeated = getMaxRepetitionLevel(schemaPath) > 0;
    // Some writers leave the offset of the dictionary out, or write 0.
    this.#at = Number(meta.dictionary_page_offset || meta.data_page_offset);
    this.#end = this.#at + Number(meta.total_compressed_size);
  }

  /** Rows that can be taken; reads until there is one, or the column ends. @throws what decoding throws */
  async ready(): Promise<number> {
    while (this.#whole() === 0 && this.#at < this.#end) await this.#readPage();
    return this.#whole();
  }

  /** The next rows; as many as are ready at most. */
  take(count: number): unknown[] {
    const rows = Array.from(this.#read.slice(this.#taken, this.#taken + count));
    this.#taken += count;
    return rows.map((row) => own(row, this.#isText));
  }

  /** Of the rows in hand, those that no page adds to. */
  #whole(): number {
    const count = this.#read.length - this.#taken;
    return this.#isRepeated && this.#at < this.#end ? Math.max(0, count - 1) : count;
  }

  async #readPage(): Promise<void> {
    const { header, byteCount } = await this.#header();
    const start = this.#at + byteCount;
    const bytes = await this.#bytes(start, header.compressed_page_size);
    this.#at = start + header.compressed_page_size;
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
    if (header.type === 'DICTIONARY_PAGE') {
      this.#dictionary = readDictionary(reader, header, this.#decoder);
      return;
    }
    // A list may go on where the last page ended: the row that is not complete is handed on.
    const open = this.#isRepeated ? Array.from(this.#read.slice(this.#taken)) : undefined;
    const { data } = readPage(reader, header, this.#decoder, this.#dictionary, open, 0);
    if (data === undefined || data.length === 0) return; // some writers end a column with a page of nothing
    this.#read = data;
    this.#taken = 0;
  }

  async #header(): Promise<{ header: PageHeader; byteCount: number }> {
    for (const [index, most] of HEADER_BYTES.entries()) {
      const bytes = await this.#bytes(this.#at, Math.min(most, this.#end - this.#at));
      const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
      try {
        return { header: parquetHeader(reader), byteCount: reader.offset };
      } catch (error) {
        if (index === HEADER_BYTES.length - 1 || most >= this.#end - this.#at) throw error;
      }
    }
    throw new RangeError('a page without a header');
  }

  async #bytes(start: number, byteCount: number): Promise<Uint8Array<ArrayBuffer>> {
    const { start: from, bytes } = this.#window;
    if (start >= from && start + byteCount <= from + bytes.length)
      return bytes.subarray(start - from, start - from + byteCount);
    const held = Math.max(byteCount, Math.min(WINDOW_BYTES, this.#end - start));
    this.#window = { start, bytes: await this.#file.read(start, held) };
    if (this.#window.bytes.length < byteCount) throw new RangeError('the file ends within a page');
    return this.#window.bytes.subarray(0, byteCount);
  }
}

function readDictionary(reader: Parameters<typeof readPage>[0], header: PageHeader, decoder: Decoder): DecodedArray {
  const { data } = readPage(reader, header, decoder, undefined, undefined, 0);
  return convert(data ?? [], decoder);
}

function isText({ type, converted_type: converted, logical_type: logical }: SchemaTree['element']): boolean {
  const named = logical?.type ?? '';
  return (
    type === 'BYTE_ARRAY' &&
    (['UTF8', 'ENUM', 'JSON'].includes(converted ?? '') || ['STRING', 'ENUM', 'JSON'].includes(named))
  );
}

/** In memory of its own, so that no row keeps its page; texts as texts. Lists may be nested. */
function own(value: unknown, asText: boolean): unknown {
  if (value instanceof Uint8Array) return asText ? decoder.decode(value) : value.slice();
  return Array.isArray(value) ? value.map((one) => own(one, asText)) : value;
}

const decoder = new TextDecoder();
