/** The measured rows as a table, for a terminal and for a document alike. */

import type { Estimate } from '../../src/statistics/index.js';
import { type Row, TITLES } from './rows.js';

const HEAD = ['', 'measured', '95 % interval', 'n', 'target', ''];

/** Markdown, columns padded so that it reads as plain text too. */
export function markdownTable(rows: readonly Row[]): string {
  const cells = [HEAD];
  let point = 0;
  for (const row of rows) {
    if (row.point !== point) cells.push([`**${row.point}. ${TITLES[row.point] ?? ''}**`, '', '', '', '', '']);
    point = row.point;
    cells.push([row.name, ...estimateCells(row.estimate), row.target?.shown ?? '', met(row)]);
  }
  const widths = HEAD.map((_, column) => Math.max(3, ...cells.map((line) => line[column]?.length ?? 0)));
  const line = (values: readonly string[]) =>
    `| ${values.map((value, column) => value.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells.map(line);
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

/** One line for each point: which of its targets are met. */
export function summary(rows: readonly Row[]): string {
  const lines = Object.entries(TITLES).map(([number, title]) => {
    const targets = rows.filter(({ point, isMet }) => point === Number(number) && isMet !== null);
    const missed = targets.filter(({ isMet }) => isMet === false);
    const state =
      targets.length === 0
        ? 'not measured'
        : missed.length === 0
          ? 'met'
          : `${missed.length} of ${targets.length} not met`;
    return `${number}. ${title}: ${state}`;
  });
  return lines.join('\n');
}

function estimateCells({ value, low, high, count }: Estimate): string[] {
  return [value.toFixed(3), `${low.toFixed(3)} to ${high.toFixed(3)}`, String(count)];
}

const met = ({ isMet }: Row) => (isMet === null ? '' : isMet ? 'met' : '**not met**');
