/** Tables on a terminal: aligned columns where they fit, else one block a row. */
import { fitLine, fitText } from './fit.js';
import { type Paint, wrap } from './paint.js';
import { padded, paddedStart, widthOf } from './width.js';

export interface TerminalTable {
  readonly columns: readonly { readonly name: string; readonly isNumeric: boolean }[];
  /** As many cells as columns. */
  readonly rows: readonly (readonly string[])[];
}

const GAP = '  ';
/** Columns that a value needs beside its name in a block. */
const LEAST_ROOM = 12;
/** Of prose. */
const CAPTION_WIDTH = 100;

/**
 * A name that is that of the row above is left out of aligned columns.
 *
 * @param columns of the terminal
 */
export function tableLines(table: TerminalTable, { paint, columns }: { paint: Paint; columns: number }): string[] {
  const widths = table.columns.map(({ name }, at) =>
    Math.max(widthOf(name), ...table.rows.map((row) => widthOf(row[at] ?? ''))),
  );
  const whole = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  if (whole > columns) {
    const headed = headCount(table);
    return table.rows.flatMap((row) => blockLines(table, row, headed, { paint, columns }));
  }
  const line = (row: readonly string[]) =>
    table.columns
      .map(({ isNumeric }, at) => (isNumeric ? paddedStart : padded)(row[at] ?? '', widths[at] ?? 0))
      .join(GAP)
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join(GAP);
  return [
    paint('bold', line(table.columns.map(({ name }) => name))),
    paint('dim', rule),
    ...table.rows.map(([name = '', ...cells], at) => line([name === table.rows[at - 1]?.[0] ? '' : name, ...cells])),
  ];
}

/** As many of the columns of words in front as tell the rows apart. */
function headCount({ columns, rows }: TerminalTable): number {
  const numericAt = columns.findIndex(({ isNumeric }) => isNumeric);
  let count = 1;
  while (count < numericAt && new Set(rows.map((row) => row.slice(0, count).join('\n'))).size < rows.length) count++;
  return count;
}

/** The row's first cells as a heading, below it a line a column. */
function blockLines(
  { columns: named }: TerminalTable,
  row: readonly string[],
  headed: number,
  { paint, columns }: { paint: Paint; columns: number },
): string[] {
  const heading = named
    .slice(0, headed)
    .map(({ name }, at) => (name === '' || at > 0 ? (row[at] ?? '') : `${name}: ${row[at] ?? ''}`))
    .join(', ');
  const [others, cells] = [named.slice(headed), row.slice(headed)];
  const longest = Math.max(0, ...others.map((column) => widthOf(column.name)));
  const label = Math.min(longest, Math.max(0, columns - LEAST_ROOM - 2 * GAP.length));
  const lines = cells.flatMap((cell, at) => {
    const names = wrap(others[at]?.name ?? '', label);
    const values = wrap(cell, columns - label - 2 * GAP.length);
    return Array.from({ length: Math.max(names.length, values.length) }, (_, i) =>
      `${GAP}${padded(names[i] ?? '', label)}${GAP}${values[i] ?? ''}`.trimEnd(),
    );
  });
  return [...fitLine(`── ${heading} ──`, columns).map((line) => paint('bold', line)), ...lines];
}

/** Under a caption. */
export function captioned(caption: string, table: TerminalTable, form: { paint: Paint; columns: number }): string[] {
  return [...fitText(caption, Math.min(CAPTION_WIDTH, form.columns)).split('\n'), '', ...tableLines(table, form)];
}
