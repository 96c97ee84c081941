/** A report as sections of blocks, before it is HTML or Markdown. Every text in it is plain. */
import type { Plot } from './draw.js';
import type { Example } from './report-data.js';

export interface Section {
  /** Unique in the report; letters and dashes. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'facts'; readonly groups: readonly FactGroup[] }
  | { readonly kind: 'plot'; readonly plot: Plot; readonly caption: string }
  | { readonly kind: 'examples'; readonly examples: readonly Example[] };

export type TableBlock = Extract<Block, { readonly kind: 'table' }>;

/** Names with a value each. */
export interface FactGroup {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  /** As many cells as columns; the first names the row. */
  readonly rows: readonly (readonly string[])[];
  /** From 0 to 1, how strongly a cell is shaded; only tables of counts have it. */
  readonly shades?: readonly (readonly (number | null)[])[];
  /** Shown only when the reader opens it. */
  readonly isFolded?: boolean;
  /** Rows that are left out here and stand in metrics.json. */
  readonly leftOut?: number;
}

export interface Column {
  readonly name: string;
  readonly isNumeric: boolean;
}

export const words = (name: string): Column => ({ name, isNumeric: false });
export const figures = (name: string): Column => ({ name, isNumeric: true });

/** Rows of one table at most. */
const ROW_LIMIT = 300;

/** The table with its rows cut to {@link ROW_LIMIT}, the rest counted. */
export function table(options: Omit<Table, 'leftOut'>): TableBlock {
  const rows = options.rows.slice(0, ROW_LIMIT);
  const leftOut = options.rows.length - rows.length;
  return { kind: 'table', table: { ...options, rows, ...(leftOut === 0 ? {} : { leftOut }) } };
}
