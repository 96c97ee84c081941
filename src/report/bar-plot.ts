/** Bars: rates with their intervals, and times by phase. One group of bars below the other, so that names can be long. */
import { drawPlot, type Frame, type Plot, type PlotSpec } from './draw.js';
import { type Format, formatted, isMeasured, isNumber, milliseconds, NOT_MEASURED } from './numbers.js';
import { colour, seriesColours } from './palette.js';
import type { PhaseTimes, RateTable } from './report-data.js';
import { capital, distinctLabels, label } from './texts.js';

/** Groups of a plot at most; the table beside it holds more. */
const GROUP_LIMIT = 24;
const SERIES_LIMIT = 12;
/** Pixels of a bar and the gap below it. */
const BAR = 22;
const THIN_BAR = 17;

interface Bar {
  readonly group: string;
  readonly series: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly text: string;
}

/**
 * Rates by category and method. Beyond 24 categories those with the most items are drawn.
 *
 * @param methods in the order of the bars
 * @returns null when nothing was measured
 */
export async function ratePlot(name: string, table: RateTable, methods: readonly string[]): Promise<Plot | null> {
  const measured = table.rows.filter(({ estimate }) => isMeasured(estimate));
  const known = [...methods, ...measured.map(({ method }) => method)];
  const series = unique(known.filter((method) => measured.some((row) => row.method === method))).slice(0, SERIES_LIMIT);
  const counts = new Map<string | null, number>();
  for (const { category, estimate } of measured)
    counts.set(category, Math.max(counts.get(category) ?? 0, estimate.count));
  const largest = [...counts.keys()].sort((a, b) => weight(counts, b) - weight(counts, a)).slice(0, GROUP_LIMIT);
  const categories = [...counts.keys()].filter((category) => largest.includes(category));
  const groups = distinctLabels(
    categories.map((category) => category ?? 'all items'),
    60,
  );
  const names = distinctLabels(series, 24);
  const bars = measured.flatMap(({ method, category, estimate: { value, low, high } }): Bar[] => {
    const group = groups[categories.indexOf(category)];
    const bar = names[series.indexOf(method)];
    if (group === undefined || bar === undefined) return [];
    const bounds = isNumber(low) && isNumber(high) ? { low, high } : { low: value, high: value };
    return [{ group, series: bar, value, ...bounds, text: formatted(value, 'percent') }];
  });
  if (bars.length === 0) return null;
  const title = `${capital(label(table.measure, 60))} by method${categories.length > 1 ? ' and category' : ''}`;
  const description = describeBars(title, bars);
  const colours = seriesColours(series);
  return await drawPlot({ name, title, description }, (frame) =>
    barSpec(bars, { frame, series: names, colours, axis: table.measure, format: 'percent', hasIntervals: true }),
  );
}

/** All items come first, whatever their number. */
function weight(counts: ReadonlyMap<string | null, number>, category: string | null): number {
  return category === null ? Number.POSITIVE_INFINITY : (counts.get(category) ?? 0);
}

/** Mean milliseconds of each phase and of the whole, by method. Phases overlap, so they are not stacked. */
export async function phasePlot(name: string, times: readonly PhaseTimes[]): Promise<Plot | null> {
  const shown = times.slice(0, SERIES_LIMIT);
  const groups = distinctLabels(
    shown.map(({ method }) => method),
    60,
  );
  const phases = unique(shown.flatMap(({ meanMs }) => Object.keys(meanMs))).slice(0, SERIES_LIMIT);
  const names = distinctLabels([...phases, 'whole answer'], 24);
  const unit = shown.some(({ totalMs }) => totalMs.mean >= 2000) ? 1000 : 1;
  const bars = shown.flatMap(({ meanMs, totalMs }, at): Bar[] =>
    [...phases.map((phase) => meanMs[phase]), totalMs.mean].flatMap((value, index) => {
      const series = names[index];
      if (!isNumber(value) || series === undefined) return [];
      const shown = value / unit;
      return [{ group: groups[at] ?? '', series, value: shown, low: shown, high: shown, text: milliseconds(value) }];
    }),
  );
  if (bars.length === 0) return null;
  const title = 'Time of an answer by phase';
  const colours = names.map((_, index) => colour(index === names.length - 1 ? 'ink' : 'safe'));
  return await drawPlot({ name, title, description: describeBars(title, bars) }, (frame) =>
    barSpec(bars, {
      frame,
      series: names,
      colours,
      axis: unit === 1 ? 'mean milliseconds' : 'mean seconds',
      format: 'number',
      hasIntervals: false,
    }),
  );
}

interface BarOptions {
  readonly frame: Frame;
  readonly series: readonly string[];
  readonly colours: readonly string[];
  readonly axis: string;
  readonly format: Format;
  readonly hasIntervals: boolean;
}

function barSpec(bars: readonly Bar[], options: BarOptions): PlotSpec {
  const { frame, series, colours, hasIntervals } = options;
  const { width, fontSize, isNarrow } = frame;
  const longest = Math.max(...series.map(({ length }) => length));
  const left = Math.min(Math.round(longest * fontSize * 0.58) + 10, isNarrow ? 130 : 190);
  const right = Math.round(Math.max(...bars.map(({ text }) => text.length)) * fontSize * 0.8) + 10;
  const x = valueChannel(bars, options);
  const fill = { field: 'series', type: 'nominal', scale: { domain: [...series], range: [...colours] }, legend: null };
  return {
    data: { values: bars },
    facet: { row: groupFacet(bars) },
    spacing: 10,
    spec: {
      width: width - left - right - 20,
      height: { step: hasIntervals ? BAR : THIN_BAR },
      encoding: { y: seriesChannel(series, left) },
      layer: [
        { mark: { type: 'bar', height: { band: 0.9 } }, encoding: { x, color: fill } },
        ...(hasIntervals ? intervalLayers(x) : []),
        {
          mark: { type: 'text', align: 'left', dx: 8, baseline: 'middle' },
          encoding: { x: { ...x, field: 'high' }, text: { field: 'text' } },
        },
      ],
    },
  };
}

function groupFacet(bars: readonly Bar[]): PlotSpec {
  const groups = unique(bars.map(({ group }) => group));
  const header =
    groups.length === 1 && groups[0] === 'all items'
      ? { title: null, labels: false }
      : { title: null, labelOrient: 'top', labelAnchor: 'start', labelPadding: 4 };
  return { field: 'group', type: 'nominal', sort: groups, header };
}

/** Names of the bars, in as many pixels for every group. */
function seriesChannel(series: readonly string[], width: number): PlotSpec {
  return {
    field: 'series',
    type: 'nominal',
    sort: [...series],
    axis: {
      title: null,
      ticks: false,
      domain: true,
      minExtent: width,
      maxExtent: width,
      labelLimit: width * 1.5,
      labelPadding: 6,
    },
    scale: { paddingInner: 0.25, paddingOuter: 0.15 },
  };
}

function valueChannel(bars: readonly Bar[], { frame: { isNarrow }, axis, format }: BarOptions): PlotSpec {
  const highest = Math.max(...bars.map(({ high, value }) => Math.max(high, value)));
  return {
    field: 'value',
    type: 'quantitative',
    scale: { domain: [0, highest > 0 ? highest : 1], nice: isNarrow ? 4 : 6, zero: true },
    axis: { title: label(axis, 60), format: format === 'percent' ? '.0%' : '~s', tickCount: isNarrow ? 4 : 6 },
  };
}

/** A line from end to end, and a stroke at each. */
function intervalLayers(x: PlotSpec): PlotSpec[] {
  const stroke = (field: string) => ({
    mark: { type: 'tick', thickness: 1.5, bandSize: 8, color: colour('ink') },
    encoding: { x: { ...x, field } },
  });
  return [
    {
      mark: { type: 'rule', strokeWidth: 1.5, color: colour('ink') },
      encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' } },
    },
    stroke('low'),
    stroke('high'),
  ];
}

function describeBars(title: string, bars: readonly Bar[]): string {
  const told = bars.slice(0, 40).map(({ group, series, text }) => `${group}, ${series}: ${text || NOT_MEASURED}`);
  return label(`${title}. ${told.join('; ')}${bars.length > told.length ? '; …' : ''}.`, 2000);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
