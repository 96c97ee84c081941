/** Rows of a parquet file, as many at once as its pages hold of every column. */
import type { Compressors, FileMetaData, RowGroup, SchemaTree } from 'hyparquet';
import { FileError } from '../errors.js';
import { describe } from '../options.js';
import { Turns } from '../turns.js';
import { FileBytes } from './file-bytes.js';
import type { ParquetPages } from './parquet-pages.js';
import type { Table, TableRow } from './table.js';
import { checkColumns, foreignTable } from './unread-table.js';

/** At both ends of a file. */
const MARK = 'PAR1';
const ENCRYPTED_MARK = 'PARE';
/** Both marks, and the length of what tells the rest. */
const SHORTEST_BYTES = 12;

/** Rows that are made at once. */
const MOST_ROWS = 256;

/** The packages that read parquet, loaded when a file is read. */
interface Reading {
  readonly compressors: Compressors;
  readonly Pages: typeof ParquetPages;
  readonly assemble: typeof import('hyparquet/src/assemble.js').assembleNested;
  readonly parsers: typeof import('hyparquet/src/convert.js').DEFAULT_PARSERS;
}

export class ParquetTable implements Table {
  readonly columns: readonly string[];
  readonly rowCount: number;
  readonly #file: FileBytes;
  readonly #metadata: FileMetaData;
  readonly #schema: SchemaTree;
  readonly #reading: Reading;

  private constructor(file: FileBytes, metadata: FileMetaData, schema: SchemaTree, reading: Reading) {
    this.#file = file;
    this.#metadata = metadata;
    this.#schema = schema;
    this.#reading = reading;
    this.columns = schema.children.map(({ element }) => element.name);
    this.rowCount = Number(metadata.num_rows);
  }

  /** @throws FileError ERR_FILE_READ; ERR_FILE_INVALID for what is no whole parquet file */
  static async open(path: string): Promise<ParquetTable> {
    const [
      { parquetMetadataAsync, parquetSchema },
      { compressors },
      { ParquetPages: Pages },
      { assembleNested },
      { DEFAULT_PARSERS },
    ] = await Promise.all([
      import('hyparquet'),
      import('hyparquet-compressors'),
      import('./parquet-pages.js'),
      import('hyparquet/src/assemble.js'),
      import('hyparquet/src/convert.js'),
    ]);
    const file = await FileBytes.open(path);
    try {
      await checkEnds(file);
      const metadata = await parquetMetadataAsync({
        byteLength: file.byteLength,
        slice: async (start, end = file.byteLength) => (await file.read(start, end - start)).buffer,
      });
      const reading = { compressors, Pages, assemble: assembleNested, parsers: DEFAULT_PARSERS };
      const schema = parquetSchema(metadata);
      checkColumns(
        file.what,
        schema.children.map(({ element }) => element.name),
      );
      return new ParquetTable(file, metadata, schema, reading);
    } catch (cause) {
      await file.close();
      throw broken(file.what, cause);
    }
  }

  async *rows(columns: readonly string[], signal?: AbortSignal): AsyncGenerator<TableRow, void> {
    const turns = new Turns(signal);
    let number = 0;
    for (const group of this.#metadata.row_groups) {
      for await (const values of this.#groupRows(group, columns)) {
        number++;
        yield { number, values, problem: null };
        if (turns.isDue) await turns.give();
      }
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async *#groupRows(
    group: RowGroup,
    columns: readonly string[],
  ): AsyncGenerator<Readonly<Record<string, unknown>>, void> {
    let left = Number(group.num_rows);
    try {
      const parts = columns.map((name) => ({ name, ...this.#part(group, name) }));
      const leaves = parts.flatMap(({ pages }) => pages);
      while (left > 0) {
        let count = Math.min(left, MOST_ROWS);
        for (const pages of leaves) count = Math.min(count, await pages.ready());
        if (count === 0) throw new RangeError('a column ends before the others');
        const cells = parts.map(({ schema, pages }) => this.#cells(schema, pages, count));
        for (let row = 0; row < count; row++) yield rowOf(parts, cells, row);
        left -= count;
      }
    } catch (cause) {
      throw broken(this.#file.what, cause);
    }
  }

  #part(group: RowGroup, name: string): { readonly schema: SchemaTree; readonly pages: ParquetPages[] } {
    const schema = this.#schema.children.find(({ element }) => element.name === name);
    if (schema === undefined) throw new RangeError(`no column ${name}`);
    const pages = group.columns.flatMap(({ meta_data: meta }) =>
      meta?.path_in_schema[0] === name
        ? [
            new this.#reading.Pages(
              this.#file,
              meta,
              pathOf(this.#schema, meta.path_in_schema),
              this.#reading.compressors,
            ),
          ]
        : [],
    );
    return { schema, pages };
  }

  /** The next values of a column; of a struct or a list put together from its leaves. */
  #cells(schema: SchemaTree, pages: readonly ParquetPages[], count: number): readonly unknown[] {
    const leaves = new Map(pages.map((leaf) => [leaf.path.join('.'), leaf.take(count)]));
    const [only] = leaves.values();
    if (schema.children.length === 0) return only ?? [];
    this.#reading.assemble(leaves, schema, this.#reading.parsers);
    return leaves.get(schema.element.name) ?? [];
  }
}

/** What is empty, of another kind, or cut off, in our words. */
async function checkEnds(file: FileBytes): Promise<void> {
  const markAt = async (start: number) => Buffer.from(await file.read(start, MARK.length)).toString('latin1');
  const head = await markAt(0);
  if (head === ENCRYPTED_MARK) throw broken(file.what, new RangeError('it is encrypted'));
  if (head !== MARK) throw foreignTable(file, 'a parquet file', MARK);
  if (file.byteLength < SHORTEST_BYTES || (await markAt(file.byteLength - MARK.length)) !== MARK)
    throw broken(file.what, new RangeError('its end is missing'));
}

/** Of a column's leaf, each part from the root down. */
function pathOf(root: SchemaTree, names: readonly string[]): SchemaTree[] {
  const path = [root];
  for (const name of names) {
    const next = path.at(-1)?.children.find(({ element }) => element.name === name);
    if (next === undefined) throw new RangeError(`no column ${names.join('.')}`);
    path.push(next);
  }
  return path;
}

/** Without what is null. */
function rowOf(
  parts: readonly { readonly name: string }[],
  cells: readonly (readonly unknown[])[],
  row: number,
): Readonly<Record<string, unknown>> {
  const values: [string, unknown][] = [];
  for (const [index, { name }] of parts.entries()) {
    const value = cells[index]?.[row];
    if (value !== null && value !== undefined) values.push([name, value]);
  }
  return Object.fromEntries(values);
}

function broken(what: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const reason = cause instanceof Error ? cause.message : describe(cause);
  return new FileError(
    'ERR_FILE_INVALID',
    `${what}: expected a whole parquet file, which this is not (${reason}). Fetch it again.`,
    {
      cause,
    },
  );
}
