/** Sections of what was found: rates, differences, distributions, the gate, curves, abilities. */
import { ratePlot } from './bar-plot.js';
import { curvePlot } from './curve-plot.js';
import { distributionBlocks, gateBlocks } from './evaluator-figures.js';
import {
  estimated,
  type Format,
  fixed,
  formatted,
  interval,
  isMeasured,
  isNumber,
  NOT_MEASURED,
  number,
  percent,
  points,
  pValue,
} from './numbers.js';
import type { Cell, Curve, DataTable, PairedDifference, RateTable, ReportData } from './report-data.js';
import { type Block, figures, type Section, type TableBlock, table, words } from './sections.js';
import { capital } from './texts.js';

/** Tables of rates longer than this are folded. */
const OPEN_ROWS = 24;

/** A section for each part that has figures, in the order in which they are read. */
export async function figureSections(data: ReportData): Promise<Section[]> {
  const found: Section[] = [];
  const add = (id: string, title: string, blocks: readonly Block[]) => {
    if (blocks.length > 0) found.push({ id, title, blocks });
  };
  for (const [at, one] of (data.tables ?? []).entries()) add(`table-${at + 1}`, one.title, [dataTable(one)]);
  for (const [at, rates] of safetyFirst(data.rates ?? []).entries()) {
    add(`rates-${at + 1}`, capital(rates.measure), await rateBlocks(`rates-${at + 1}`, rates, data.methods));
  }
  const measures = safetyFirst(data.rates ?? []).map(({ measure }) => measure);
  const differences = [...(data.differences ?? [])].sort(
    (a, b) => measures.indexOf(a.measure) - measures.indexOf(b.measure),
  );
  add('differences', 'Paired differences', differenceBlocks(differences));
  add('scores', 'Scores and thresholds', await distributionBlocks(data.distributions ?? []));
  add('gate', 'What the gate did', (data.gates ?? []).flatMap(gateBlocks));
  const curves: Block[] = [];
  for (const [at, curve] of (data.curves ?? []).entries())
    curves.push(...(await curveBlocks(`curve-${at + 1}`, curve)));
  add('curves', 'Curves', curves);
  add('ability', 'General ability', abilityBlocks(data.abilities ?? []));
  add('published', 'Beside the published numbers', publishedBlocks(data.published ?? []));
  return found;
}

/** What should be low comes before what should be high: safety before ability. */
export function safetyFirst(rates: readonly RateTable[]): readonly RateTable[] {
  return [...rates.filter(({ better }) => better === 'lower'), ...rates.filter(({ better }) => better === 'higher')];
}

/** A table of its own shape as a block. */
export function dataTable({ caption, columns, rows, format = 'number' }: DataTable): TableBlock {
  const isNumeric = (column: number) => column > 0 && rows.some((row) => isFigure(row[column]));
  return table({
    caption,
    columns: columns.map((name, at) => ({ name, isNumeric: isNumeric(at) })),
    rows: rows.map((row) => columns.map((_, at) => cellText(row[at] ?? null, format))),
  });
}

function isFigure(cell: Cell | undefined): boolean {
  if (cell === null || cell === undefined) return false;
  return typeof cell !== 'string' || /^[\d.,]+( (%|s|ms))?$/.test(cell);
}

function cellText(cell: Cell, format: Format): string {
  if (cell === null) return NOT_MEASURED;
  if (typeof cell === 'string') return cell;
  return typeof cell === 'number' ? formatted(cell, format) : estimated(cell, format);
}

async function rateBlocks(name: string, rates: RateTable, methods: readonly string[]): Promise<Block[]> {
  if (rates.rows.length === 0) return [];
  const plot = await ratePlot(name, rates, methods);
  const columns = [
    words('category'),
    words('method'),
    figures(rates.measure),
    figures('95 % interval'),
    figures('judged'),
    figures('unjudged'),
  ];
  const rows = rates.rows.map(({ category, method, estimate, unjudgedCount }) => [
    category ?? 'all items',
    method,
    isMeasured(estimate) ? percent(estimate.value) : NOT_MEASURED,
    isMeasured(estimate) ? interval(estimate, 'percent') : NOT_MEASURED,
    String(estimate.count),
    String(unjudgedCount),
  ]);
  const order = new Map<string, number>();
  for (const [category = ''] of rows) if (!order.has(category)) order.set(category, order.size);
  rows.sort(([a = ''], [b = '']) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  const goal = rates.better === 'lower' ? 'Lower is better.' : 'Higher is better.';
  return [
    { kind: 'text', text: `${rates.caption} ${goal}` },
    ...(plot === null ? [] : [{ kind: 'plot', plot, caption: 'Whiskers are 95 % intervals.' } as const]),
    table({
      caption: `${capital(rates.measure)}: every figure of the plot. Unjudged answers are in no rate.`,
      columns,
      rows,
      isFolded: rows.length > OPEN_ROWS,
    }),
  ];
}

function differenceBlocks(differences: readonly PairedDifference[]): Block[] {
  if (differences.length === 0) return [];
  const hasCategories = differences.some(({ category }) => category !== null);
  const rows = differences.map((found) => [
    `${found.one} minus ${found.other}`,
    found.measure,
    ...(hasCategories ? [found.category ?? 'all items'] : []),
    points(found.difference),
    String(found.difference.count),
    `${found.onlyOneCount} : ${found.onlyOtherCount}`,
    found.pValue === null ? NOT_MEASURED : `${pValue(found.pValue)}, ${found.test}`,
  ]);
  const columns = [
    words('methods'),
    words('measure'),
    ...(hasCategories ? [words('category')] : []),
    figures('points, 95 % interval'),
    figures('pairs'),
    figures('one alone : other alone'),
    figures('p (McNemar)'),
  ];
  const caption =
    'The same items under two methods: the difference of their shares, and on how many items one method alone has the property.';
  return [table({ caption, columns, rows })];
}

async function curveBlocks(name: string, curve: Curve): Promise<Block[]> {
  const plot = await curvePlot(name, curve);
  if (plot === null) return [];
  const format: Format = curve.isShare ? 'percent' : 'number';
  const xs = [...new Set(curve.series.flatMap(({ points }) => points.map(({ x }) => x)))]
    .filter(isNumber)
    .sort((a, b) => a - b);
  const rows = xs.map((x) => [
    number(x),
    ...curve.series.map(({ points }) => {
      const found = points.find((point) => point.x === x);
      if (found === undefined) return NOT_MEASURED;
      const { y, low, high } = found;
      const bounds = isNumber(low) && isNumber(high) ? ` (${interval({ low, high }, format)})` : '';
      return `${formatted(y, format)}${isNumber(y) ? bounds : ''}`;
    }),
  ]);
  return [
    { kind: 'plot', plot, caption: curve.caption },
    table({
      caption: `${curve.title}: ${curve.y}.`,
      columns: [words(curve.x), ...curve.series.map(({ name }) => figures(name))],
      rows,
      isFolded: xs.length > OPEN_ROWS,
    }),
  ];
}

function abilityBlocks(abilities: NonNullable<ReportData['abilities']>): Block[] {
  if (abilities.length === 0) return [];
  const rows = abilities.map(({ benchmark, metric, base, other, difference }) => [
    `${benchmark}, ${metric}`,
    `${base.method}: ${estimated(base.estimate, 'percent')}`,
    `${other.method}: ${estimated(other.estimate, 'percent')}`,
    points(difference),
    String(difference.count),
  ]);
  const columns = [words('questions'), figures('without'), figures('with'), figures('points'), figures('pairs')];
  return [table({ caption: 'Harmless questions with a right answer: what safety costs.', columns, rows })];
}

function publishedBlocks(published: NonNullable<ReportData['published']>): Block[] {
  if (published.length === 0) return [];
  const rows = published.map((one) => [
    `${one.benchmark}, ${one.measure}`,
    one.backbone,
    one.method,
    one.unit === 'percent' ? percent(one.published) : fixed(one.published, 2),
    one.ours === null ? NOT_MEASURED : estimated(one.ours, one.unit),
    one.source,
  ]);
  const columns = [
    words('benchmark'),
    words('backbone'),
    words('method'),
    figures('published'),
    figures('ours'),
    words('source'),
  ];
  const caption =
    'A dash: not measured here on that backbone. Published numbers are not ours and were judged by others.';
  return [table({ caption, columns, rows })];
}
