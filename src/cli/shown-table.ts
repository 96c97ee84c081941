/** Figures on stdout: drawn to fit where that is a terminal, else as the text that programs and documents read. */
import { type Measurement, summary, summaryText } from '../benchmark/index.js';
import { type DataTable, dataTableText, plainTable } from '../report/index.js';
import { allColumnsOf, createPaint } from '../terminal/paint.js';
import { captioned, type TerminalTable, tableLines } from '../terminal/table.js';
import { visible } from '../visible.js';

/** What a benchmark found. */
export function shownSummary(measured: Measurement, stream = process.stdout): string {
  if (!stream.isTTY) return summaryText(measured);
  const { tables, notes } = summary(measured);
  return [...tables.map((table) => tableLines(table, formOf(stream)).join('\n')), ...notes].join('\n\n');
}

/** The table that an experiment ends in. */
export function shownTable(table: DataTable, stream = process.stdout): string {
  if (!stream.isTTY) return dataTableText(table);
  const { caption, columns, rows, leftOut } = plainTable(table);
  const shown: TerminalTable = { columns, rows: rows.map((row) => row.map(visible)) };
  const rest = leftOut === undefined ? [] : ['', `${leftOut} more rows are in metrics.json.`];
  return [...captioned(visible(caption), shown, formOf(stream)), ...rest].join('\n');
}

function formOf(stream: NodeJS.WriteStream) {
  return { paint: createPaint(stream), columns: allColumnsOf(stream) };
}
