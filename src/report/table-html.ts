/** Tables and lines of text as HTML. */
import type { Column, Table } from './sections.js';
import { escapeHtml, shortened } from './texts.js';

/** Characters of one line or cell at most. */
const LINE_LIMIT = 1500;

/** Rows of a table that is not broken across pages. */
const SHORT = 24;

/** A table in a box of its own that scrolls sideways and can be reached by keyboard; what it says stays beside it. */
export function tableHtml({ caption, columns, rows, shades, isFolded, leftOut }: Table): string {
  const name = plainLine(caption);
  const head = columns.map((column) => `<th scope="col"${classOf(column)}>${inline(column.name)}</th>`).join('');
  const body = rows.map((row, at) => rowHtml(row, columns, shades?.[at])).join('\n');
  const rest =
    leftOut === undefined ? '' : `<p class="quiet">${leftOut} more rows are in <code>metrics.json</code>.</p>`;
  const short = rows.length <= SHORT ? ' short' : '';
  const table = `<div class="tabular${short}"><p class="caption" aria-hidden="true">${inline(caption)}</p><div class="scroll" role="region" aria-label="${name}" tabindex="0"><table><caption class="unseen">${inline(caption)}</caption><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>${rest}</div>`;
  return isFolded ? `<details><summary>Table: ${rows.length} rows</summary>${table}</details>` : table;
}

function rowHtml(row: readonly string[], columns: readonly Column[], shades?: readonly (number | null)[]): string {
  const cells = row.map((cell, at) => {
    const column = columns[at];
    if (at === 0) return `<th scope="row"${cell.length > 40 ? ' class="long"' : ''}>${inline(cell)}</th>`;
    const shade = shades?.[at];
    if (column === undefined) return '';
    if (shade === null || shade === undefined) return `<td${classOf(column, cell)}>${inline(cell)}</td>`;
    const share = Math.min(1, Math.max(0, shade)).toFixed(2);
    return `<td class="n shade" style="--share:${share}">${inline(cell)}</td>`;
  });
  return `<tr>${cells.join('')}</tr>`;
}

function classOf({ isNumeric }: Column, cell = ''): string {
  if (isNumeric) return ' class="n"';
  if (/^[0-9a-f]{32,}$/.test(cell)) return ' class="hash"';
  return cell.length > 24 ? ' class="long"' : '';
}

/** A text that cannot reorder what stands around it. */
export function inline(text: string): string {
  const shown = plainLine(text);
  return /^[\x20-\x7e]*$/.test(text) ? shown : `<bdi>${shown}</bdi>`;
}

/** A text for an attribute, or where no element may stand; cut where it is very long. */
export function plainLine(text: string): string {
  const { text: start, cut } = shortened(text, LINE_LIMIT);
  return escapeHtml(cut === 0 ? start : `${start}…`);
}
