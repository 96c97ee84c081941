/**
 * CSV and TSV as they come from a stream. Bytes are split before they are text: what separates is ASCII, which no other
 * character holds in UTF-8, so that bytes that are no UTF-8 spoil their own row alone.
 */
import { isUtf8 } from 'node:buffer';
import { FileError } from '../errors.js';
import { Turns } from '../turns.js';
import { type RawRow, RowSplitter } from './row-splitter.js';
import { MAX_ROW_BYTES, type Table, type TableRow } from './table.js';
import { checkColumns } from './unread-table.js';

/** How a table in text is read. */
export interface SeparatedOptions {
  /** What messages call it, such as "stdin" or a path in quotes. */
  readonly what: string;
  /** Between fields; null: what the header has, a comma, a semicolon or a tab. */
  readonly separator: string | null;
  /** Lets go of the source. */
  close(): Promise<void>;
}

/** What is longer is no header. */
const MAX_HEADER_BYTES = 2 ** 20;

/** Tried in turn on a header. */
const SEPARATORS = [',', ';', '\t'] as const;

export class SeparatedTable implements Table {
  readonly columns: readonly string[];
  readonly rowCount = null;
  readonly #options: SeparatedOptions;
  readonly #rows: AsyncGenerator<RawRow | Unended, void>;

  private constructor(
    header: readonly string[],
    rows: AsyncGenerator<RawRow | Unended, void>,
    options: SeparatedOptions,
  ) {
    this.columns = header;
    this.#rows = rows;
    this.#options = options;
  }

  /**
   * Reads the header; lets go of the source where it throws.
   *
   * @throws FileError ERR_FILE_INVALID for a table without one, with a column twice, or in UTF-16; what the source throws
   */
  static async open(source: AsyncIterable<Uint8Array>, options: SeparatedOptions): Promise<SeparatedTable> {
    try {
      return await SeparatedTable.#opened(source, options);
    } catch (error) {
      await options.close();
      throw error;
    }
  }

  static async #opened(source: AsyncIterable<Uint8Array>, options: SeparatedOptions): Promise<SeparatedTable> {
    const rows = rawRows(source, options);
    const first = await rows.next();
    if (first.done === true)
      throw invalid(options, 'a header with the names of the columns, and a row for each request', 'nothing');
    if ('openQuoteLine' in first.value)
      throw new FileError('ERR_FILE_INVALID', `${options.what}: the header: ${unended(first.value)}.`);
    const header = first.value.fields.map((field) => textOf(field)?.trim());
    const unread = header.indexOf(undefined);
    if (unread >= 0) throw invalid(options, 'a header in UTF-8', `other bytes in column ${unread + 1}`);
    const names = header.map((name) => name ?? '');
    checkColumns(options.what, names);
    return new SeparatedTable(names, rows, options);
  }

  async *rows(columns: readonly string[], signal?: AbortSignal): AsyncGenerator<TableRow, void> {
    const turns = new Turns(signal);
    const wanted = columns.map((name) => ({ name, index: this.columns.indexOf(name) }));
    let number = 0;
    for await (const raw of this.#rows) {
      if (turns.isDue) await turns.give();
      number++;
      yield this.#row(raw, number, wanted);
    }
  }

  async close(): Promise<void> {
    await this.#options.close();
  }

  #row(
    raw: RawRow | Unended,
    number: number,
    wanted: readonly { readonly name: string; readonly index: number }[],
  ): TableRow {
    if ('openQuoteLine' in raw) return { number, values: {}, problem: unended(raw) };
    const { line, fields } = raw;
    if (fields.length !== this.columns.length) {
      const problem = `line ${line}: expected ${this.columns.length} fields as in the header, received ${fields.length}. Put fields with a separator or a line break into quotes`;
      return { number, values: {}, problem };
    }
    const values: [string, string][] = [];
    for (const { name, index } of wanted) {
      const field = fields[index] ?? '';
      if (field === '') continue;
      const text = textOf(field);
      if (text === undefined) {
        const problem = `line ${line}: ${name}: expected UTF-8, received bytes that are none. Save the file as UTF-8`;
        return { number, values: {}, problem };
      }
      values.push([name, text]);
    }
    return { number, values: Object.fromEntries(values), problem: null };
  }
}

/** A row that has no end: nothing behind it can be told apart. */
interface Unended {
  /** Null for a row that is too long. */
  readonly openQuoteLine: number | null;
}

const unended = ({ openQuoteLine }: Unended) =>
  openQuoteLine === null
    ? `expected a row of at most ${MAX_ROW_BYTES} bytes, received a longer one; nothing behind it was read. Name pictures by their paths`
    : `line ${openQuoteLine}: expected the quote that opens a field here to be closed; nothing behind it was read. Close it, or write a quote in a field twice`;

async function* rawRows(
  source: AsyncIterable<Uint8Array>,
  options: SeparatedOptions,
): AsyncGenerator<RawRow | Unended, void> {
  let splitter: RowSplitter | undefined;
  let head = '';
  for await (const chunk of source) {
    let text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    if (splitter === undefined) {
      head += text;
      if (head.length < BYTE_ORDER_MARK.length) continue;
      if (UTF_16.some((mark) => head.startsWith(mark)))
        throw invalid(options, 'text in UTF-8', 'UTF-16. Save it as "CSV UTF-8"');
      text = withoutMark(head);
      const separator = options.separator ?? separatorOf(text);
      if (separator === null && head.length <= MAX_HEADER_BYTES) continue; // the header is not all there
      splitter = new RowSplitter(separator ?? ',');
      head = '';
    }
    yield* splitter.push(text);
    if (splitter.heldLength <= MAX_ROW_BYTES) continue;
    yield { openQuoteLine: splitter.openQuoteLine };
    return;
  }
  if (splitter === undefined) {
    const text = withoutMark(head);
    splitter = new RowSplitter(options.separator ?? separatorOf(`${text}\n`) ?? ',');
    yield* splitter.push(text);
  }
  if (splitter.openQuoteLine !== null) yield { openQuoteLine: splitter.openQuoteLine };
  else yield* splitter.end();
}

/** The first that parts the header; null while the header has no end. */
function separatorOf(text: string): string | null {
  let isWhole = false;
  for (const separator of SEPARATORS) {
    const header = new RowSplitter(separator).push(text).next();
    if (header.done === true) continue;
    isWhole = true;
    if (header.value.fields.length > 1) return separator;
  }
  return isWhole ? ',' : null;
}

/** As its bytes look, one a character. */
const BYTE_ORDER_MARK = '\xef\xbb\xbf';
const UTF_16 = ['\xff\xfe', '\xfe\xff'];

const withoutMark = (text: string) => (text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text);

/** Of bytes, one a character; undefined for those that are no UTF-8. */
function textOf(field: string): string | undefined {
  if (!/[\x80-\xff]/.test(field)) return field;
  const bytes = Buffer.from(field, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

function invalid({ what }: SeparatedOptions, expected: string, received: string): FileError {
  return new FileError('ERR_FILE_INVALID', `${what}: expected ${expected}, received ${received}.`);
}
