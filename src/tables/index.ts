/** Tables as files: CSV and TSV, Parquet, Arrow, folders of data sets; a few rows at a time. */
export { openTable, separatedTable, type TableKind, tableKindOf } from './open-table.js';
export { type WrittenCell, type WrittenColumn, writeParquet } from './parquet-writer.js';
export { pictureOf } from './picture-cell.js';
export { type RawRow, RowSplitter } from './row-splitter.js';
export { separatedLine } from './separated-line.js';
export type { Table, TableRow } from './table.js';
