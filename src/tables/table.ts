/** What every form of table gives: its columns, and its rows one after another. */

/** One row. What an empty cell holds is absent. */
export interface TableRow {
  /** From 1; over all files of a folder. */
  readonly number: number;
  /** Of the columns asked for. Bytes are their own: whoever keeps a row keeps nothing else of its file. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Why the row cannot be used; null for one that can. */
  readonly problem: string | null;
}

/** A table that is read from its beginning to its end, a few rows at a time. */
export interface Table {
  /** In their order. */
  readonly columns: readonly string[];
  /** Null where only reading tells. */
  readonly rowCount: number | null;
  /**
   * The rows, once.
   *
   * @param columns which of them are wanted; all of them are there
   * @throws FileError ERR_FILE_READ, ERR_FILE_INVALID; AbortError
   */
  rows(columns: readonly string[], signal?: AbortSignal): AsyncIterable<TableRow>;
  /** Lets go of the files. Idempotent. */
  close(): Promise<void>;
}

/** Of one row of text, in bytes: a quote that is never closed would take the whole file for one cell. */
export const MAX_ROW_BYTES = 64 * 2 ** 20;
