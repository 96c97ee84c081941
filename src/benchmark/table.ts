/** Tables in text, CSV and TSV, as the files of a data set. */
import { nearest } from '../near-miss.js';
import { type RawRow, RowSplitter } from '../tables/index.js';
import { Turns } from '../turns.js';
import type { DatasetFolder } from './dataset.js';

export interface TableRow {
  readonly line: number;
  /** The field of a column; "" for an optional column that the table lacks. */
  get(column: string): string;
}

export interface TableOptions {
  readonly separator?: ',' | '\t';
  readonly columns: readonly string[];
  /** Columns that may be missing. */
  readonly optional?: readonly string[];
  /** Columns that must say something in every row. */
  readonly filled?: readonly string[];
  /** Whether a column that was not asked for is an error: a person's own table, where it is a slip. @default false */
  readonly isClosed?: boolean;
}

/** A table with a header. @throws UsageError ERR_DATASET_INVALID with the column, or the row, that does not fit */
export async function readTable(
  folder: DatasetFolder,
  candidates: readonly string[],
  { separator = ',', columns, optional = [], filled = columns, isClosed = false }: TableOptions,
): Promise<{ readonly file: string; readonly rows: readonly TableRow[] }> {
  const { file, text } = await folder.text(...candidates);
  const [header, ...records] = await recordsOf(folder, file, text, separator);
  const names = header?.fields.map((name) => name.trim()) ?? [];
  const places = new Map(names.map((name, index) => [name, index]));
  for (const column of columns) {
    if (places.has(column)) continue;
    const near = nearest(
      column,
      names.filter((name) => !columns.includes(name)),
    );
    const hint = near === undefined ? '' : ` Is ${JSON.stringify(near)} meant?`;
    throw folder.invalid(file, `expected the columns ${columns.join(', ')}, received ${shown(names)}.${hint}`, {
      line: 1,
    });
  }
  const known = new Set([...columns, ...optional]);
  const odd = names.find((name, index) => !known.has(name) || names.indexOf(name) !== index);
  if (isClosed && odd !== undefined)
    throw folder.invalid(
      file,
      `expected the columns ${[...known].join(', ')}, each once at most, received ${JSON.stringify(odd)}.`,
      { line: 1 },
    );
  if (records.length === 0) throw folder.invalid(file, 'expected rows below the header, received none.');
  const rows = await new Turns().map(records, ({ line, fields }) => {
    if (fields.length !== names.length)
      throw folder.invalid(file, `expected ${names.length} fields as in the header, received ${fields.length}.`, {
        line,
      });
    const get = (column: string) => {
      if (!known.has(column)) throw folder.invalid(file, `no column ${column} was asked for.`);
      return fields[places.get(column) ?? -1] ?? '';
    };
    for (const column of filled)
      if (get(column).trim() === '')
        throw folder.invalid(file, `${column}: expected a text, received nothing.`, { line });
    return { line, get };
  });
  return { file, rows };
}

/** The rows of a table, with a header or without. @throws UsageError ERR_DATASET_INVALID when a quote never ends */
export async function recordsOf(
  folder: DatasetFolder,
  file: string,
  text: string,
  separator: string,
): Promise<readonly RawRow[]> {
  const turns = new Turns();
  const splitter = new RowSplitter(separator);
  const records: RawRow[] = [];
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; at += PIECE_LENGTH) {
    if (turns.isDue) await turns.give();
    records.push(...splitter.push(text.slice(at, at + PIECE_LENGTH)));
  }
  records.push(...splitter.end());
  if (splitter.openQuoteLine === null) return records;
  throw folder.invalid(file, 'expected the quote that opens a field here to be closed. Fetch the file again.', {
    line: splitter.openQuoteLine,
  });
}

/** Characters that are split between two turns of the event loop. */
const PIECE_LENGTH = 2 ** 16;

function shown(names: readonly string[]): string {
  const first = names.slice(0, 8).map((name) => JSON.stringify(name.length > 30 ? `${name.slice(0, 27)}...` : name));
  return `${first.join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`;
}
