/** Requests of a table: a row each. */
import { openTable, type Table, type TableKind } from '../tables/index.js';
import { Turns } from '../turns.js';
import type { BatchRequest, RefusedRequest } from './answer-line.js';
import { columnsToRead, type FieldMap } from './columns.js';
import { parseRequestRow } from './request-line.js';

/** How a table of requests is read. */
export interface TableReading {
  readonly map?: FieldMap | undefined;
  /** What paths of pictures start from. */
  readonly folder: string;
  /** What messages call the table. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** Where a table lies, and which part of it is wanted. */
export interface TablePlace {
  readonly path: string;
  readonly kind: TableKind;
  /** Of a folder. @default its only one */
  readonly split?: string | undefined;
}

/** The rows of a table in order; one that is no request comes as its refusal. Closes the table. */
export async function* requestsOfTable(
  table: Table,
  { map, folder, what, signal }: TableReading,
): AsyncGenerator<BatchRequest | RefusedRequest, void> {
  try {
    const columns = columnsToRead(table.columns, map, what);
    const names = [...new Set(columns.map(({ column }) => column))];
    for await (const row of table.rows(names, signal)) yield parseRequestRow(row, columns, folder);
  } finally {
    await table.close();
  }
}

/** Opens and closes it. @throws what opening throws; UsageError ERR_COLUMNS, ERR_UNKNOWN_OPTION */
export async function checkTable(
  { path, kind, split }: TablePlace,
  map: FieldMap | undefined,
  what: string,
): Promise<void> {
  const table = await openTable(path, kind, split ?? null);
  await table.close();
  columnsToRead(table.columns, map, what);
}

/** Rows of a table; where it does not tell, they are counted. @throws what reading throws; AbortError */
export async function countRows({ path, kind, split }: TablePlace, signal?: AbortSignal): Promise<number> {
  const table = await openTable(path, kind, split ?? null);
  try {
    if (table.rowCount !== null) return table.rowCount;
    let count = 0;
    const turns = new Turns(signal);
    for await (const _row of table.rows([], signal)) {
      count++;
      if (turns.isDue) await turns.give();
    }
    return count;
  } finally {
    await table.close();
  }
}
