/** Histograms as SVG: one panel for each group over a common scale, and a line where the threshold is. */

export interface HistogramGroup {
  readonly name: string;
  readonly values: readonly number[];
  readonly colour: string;
}

export interface HistogramOptions {
  readonly title: string;
  readonly axis: string;
  readonly groups: readonly HistogramGroup[];
  readonly threshold: number;
  readonly thresholdName: string;
}

/** Safe and unsafe, told apart by people who see few colours too. */
export const SAFE_COLOUR = '#2b7bba';
export const UNSAFE_COLOUR = '#d1602b';
export const OTHER_COLOUR = '#8a8a8a';

const WIDTH = 720;
const PANEL = 64;
const LEFT = 190;
const RIGHT = 20;
const TOP = 52;
const BINS = 60;

export function histogramSvg({ title, axis, groups, threshold, thresholdName }: HistogramOptions): string {
  const shown = groups.filter(({ values }) => values.length > 0);
  const all = [...shown.flatMap(({ values }) => values), threshold];
  const low = Math.min(...all);
  const span = Math.max(...all) - low || 1;
  const height = TOP + shown.length * PANEL + 48;
  const x = (value: number) => LEFT + ((value - low) / span) * (WIDTH - LEFT - RIGHT);
  const bottom = TOP + shown.length * PANEL;
  const panels = shown.map((group, index) => panel(group, TOP + (index + 1) * PANEL, low, span));
  const ticks = ticksOf(low, low + span).map(
    (value) =>
      `<line x1="${at(x(value))}" y1="${bottom}" x2="${at(x(value))}" y2="${bottom + 5}" stroke="#555"/>` +
      label(x(value), bottom + 18, String(value), 'middle', 11),
  );
  const line = at(x(threshold));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}" font-family="sans-serif">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    label(LEFT, 20, title, 'start', 14),
    ...panels,
    ...ticks,
    `<line x1="${line}" y1="${TOP - 8}" x2="${line}" y2="${bottom}" stroke="#111" stroke-dasharray="5 4"/>`,
    label(x(threshold), TOP - 13, `${thresholdName} ${Number(threshold.toFixed(4))}`, 'middle', 11),
    label((LEFT + WIDTH - RIGHT) / 2, bottom + 38, axis, 'middle', 12),
    '</svg>',
    '',
  ].join('\n');
}

function panel({ name, values, colour }: HistogramGroup, base: number, low: number, span: number): string {
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor(((value - low) / span) * BINS));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const highest = Math.max(...counts);
  const width = (WIDTH - LEFT - RIGHT) / BINS;
  const bars = counts.map((count, bin) => {
    const height = (count / highest) * (PANEL - 12);
    return count === 0
      ? ''
      : `<rect x="${at(LEFT + bin * width)}" y="${at(base - height)}" width="${at(width - 0.6)}" height="${at(height)}" fill="${colour}"/>`;
  });
  const axis = `<line x1="${LEFT}" y1="${base}" x2="${WIDTH - RIGHT}" y2="${base}" stroke="#bbb"/>`;
  const named = label(LEFT - 10, base - 8, `${name} (${values.length})`, 'end', 12);
  return [axis, named, ...bars.filter(Boolean)].join('\n');
}

/** About six round values between two. */
function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => Number(((first + index) * step).toFixed(10)));
}

function label(x: number, y: number, text: string, anchor: string, size: number): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" font-size="${size}" fill="#222">${escaped(text)}</text>`;
}

const at = (value: number) => Number(value.toFixed(1));

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
