/** The figures as docs/miniature.md shows them: where many rows say one thing, it says it once. The card has each row. */
import { groupBy } from '../../src/statistics/index.js';
import { type Row, TITLES } from './rows.js';
import { markdownTable } from './table.js';

/** The point whose rows are named "METHOD: WHAT". */
const BY_METHOD = 9;

const isByMethod = ({ point }: Row) => point === BY_METHOD;
/** Wordings of the safety prompt beside the paper's stand in quotes. */
const isWording = ({ point, name }: Row) => point === 4 && name.startsWith('“');

export function pageFigures(rows: readonly Row[]): string {
  const parts = [
    markdownTable(rows.filter((row) => !isByMethod(row) && !isWording(row))),
    wordingsText(rows.filter(isWording)),
    methodsText(rows.filter(isByMethod)),
    targetsText(rows),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function wordingsText(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const values = rows.map(({ estimate }) => estimate.value);
  const [low, high] = [Math.min(...values).toFixed(3), Math.max(...values).toFixed(3)];
  return `Point 4 under ${rows.length} other wordings of the prompt, all pictures: AUC ${low} to ${high}. The [card](../models/miniature/README.md) has each of them.`;
}

/** One row a method, one column for what became of its requests. */
function methodsText(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => ({ row, at: row.name.indexOf(': ') }));
  const named = cells.map(({ row, at }) => ({ row, method: row.name.slice(0, at), what: row.name.slice(at + 2) }));
  const columns = [...groupBy(named, ({ what }) => what)];
  const methods = [...groupBy(named, ({ method }) => method)];
  const line = (values: readonly string[]) => `| ${values.join(' | ')} |`;
  const heads = columns.map(([what, same]) => `${what} (${same[0]?.row.estimate.count})`);
  const body = methods.map(([method, own]) =>
    line([method, ...columns.map(([what]) => estimateText(own.find((cell) => cell.what === what)?.row))]),
  );
  const title = `**${BY_METHOD}. ${TITLES[BY_METHOD]}** (in brackets how many)`;
  return [title, [line(['', ...heads]), line(['---', ...heads.map(() => '---')]), ...body].join('\n')].join('\n\n');
}

function estimateText(row: Row | undefined): string {
  if (row === undefined) return '';
  const { value, low, high } = row.estimate;
  return `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

function targetsText(rows: readonly Row[]): string {
  const targets = rows.flatMap(({ point, name, target, isMet }) =>
    target === null ? [] : [{ told: `point ${point}, ${name} (target ${target.shown})`, isMet }],
  );
  const missed = targets.filter(({ isMet }) => isMet === false);
  const rest = missed.map(({ told }) => ` **Not met**: ${told}.`).join('');
  return `Targets met: ${targets.length - missed.length} of ${targets.length}.${rest}`;
}
