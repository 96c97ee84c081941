/** Several files of one kind as one table, one of them open at a time. */
import { FileError } from '../errors.js';
import { describePath } from '../options.js';
import type { Table, TableRow } from './table.js';

export class JoinedTable implements Table {
  readonly columns: readonly string[];
  readonly rowCount: number | null;
  readonly #paths: readonly string[];
  readonly #open: (path: string) => Promise<Table>;

  private constructor(
    { columns, rowCount }: Pick<Table, 'columns' | 'rowCount'>,
    paths: readonly string[],
    openOne: (path: string) => Promise<Table>,
  ) {
    this.columns = columns;
    this.rowCount = rowCount;
    this.#paths = paths;
    this.#open = openOne;
  }

  /** @throws what opening a file throws; FileError ERR_FILE_INVALID where they have not the same columns */
  static async open(paths: readonly string[], openOne: (path: string) => Promise<Table>): Promise<JoinedTable> {
    let columns: readonly string[] | undefined;
    let rowCount: number | null = 0;
    for (const path of paths) {
      const table = await openOne(path);
      await table.close();
      columns ??= table.columns;
      const lacking = columns.find((name) => !table.columns.includes(name));
      if (lacking !== undefined)
        throw new FileError(
          'ERR_FILE_INVALID',
          `${describePath(path)}: expected the column ${JSON.stringify(lacking)} of ${describePath(paths[0] ?? '')}, received ${table.columns.join(', ')}.`,
        );
      rowCount = rowCount === null || table.rowCount === null ? null : rowCount + table.rowCount;
    }
    return new JoinedTable({ columns: columns ?? [], rowCount }, paths, openOne);
  }

  async *rows(columns: readonly string[], signal?: AbortSignal): AsyncGenerator<TableRow, void> {
    let number = 0;
    for (const path of this.#paths) {
      const table = await this.#open(path);
      try {
        for await (const row of table.rows(columns, signal)) yield { ...row, number: ++number };
      } finally {
        await table.close();
      }
    }
  }

  async close(): Promise<void> {
    // each file is closed by who reads it
  }
}
