/** A row of CSV, by RFC 4180: quotes where a field needs them. */
import type { WrittenCell } from './parquet-writer.js';

/** Without a line break. Nothing is written for null; a text that is empty is a pair of quotes. */
export function separatedLine(cells: readonly WrittenCell[]): string {
  return cells.map(fieldOf).join(',');
}

function fieldOf(cell: WrittenCell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  return cell === '' || /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
