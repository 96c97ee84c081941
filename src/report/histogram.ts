/** Distributions of scores: a panel for each group over one axis, and a line where the threshold is. */
import { drawPlot, type Frame, type Plot, type PlotSpec } from './draw.js';
import { isNumber, number } from './numbers.js';
import { colour } from './palette.js';
import type { Distribution } from './report-data.js';
import { distinctLabels, label } from './texts.js';

const BINS = 40;
const GROUP_LIMIT = 12;
const PANEL = 58;

interface Bin {
  readonly group: string;
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  /** Share of the fullest bin of the group. */
  readonly height: number;
}

/** @returns null when there is no score */
export async function histogramPlot(name: string, distribution: Distribution): Promise<Plot | null> {
  const { title, axis, threshold } = distribution;
  const groups = distribution.groups
    .map((group) => ({ ...group, values: group.values.filter(isNumber) }))
    .filter(({ values }) => values.length > 0)
    .slice(0, GROUP_LIMIT);
  if (groups.length === 0) return null;
  const names = distinctLabels(
    groups.map(({ name, values }) => `${label(name, 44)} (${values.length})`),
    60,
  );
  const line = threshold !== null && isNumber(threshold.value) ? threshold : null;
  const { low, high } = extent([...groups.map(({ values }) => values), line === null ? [] : [line.value]]);
  const width = (high - low) / BINS;
  const bins = groups.flatMap(({ kind, values }, at): Bin[] => {
    const counts = new Array<number>(BINS).fill(0);
    for (const value of values) {
      const bin = Math.min(BINS - 1, Math.floor((value - low) / width));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    return counts.flatMap((count, bin) =>
      count === 0
        ? []
        : [
            {
              group: names[at] ?? '',
              kind,
              from: low + bin * width,
              to: low + (bin + 1) * width,
              height: count / most,
            },
          ],
    );
  });
  const told = groups.map(({ name, values }) => `${name}: ${values.length} from ${ends(values)}`).join('; ');
  const at = line === null ? '' : ` ${line.name} is ${number(line.value)}.`;
  const description = label(`${axis}. ${told}.${at}`, 2000);
  return await drawPlot({ name, title: label(title, 120), description }, (frame) =>
    histogramSpec(bins, { frame, names, axis: label(axis, 60), line }),
  );
}

interface HistogramOptions {
  readonly frame: Frame;
  readonly names: readonly string[];
  readonly axis: string;
  readonly line: Distribution['threshold'];
}

function histogramSpec(bins: readonly Bin[], { frame, names, axis, line }: HistogramOptions): PlotSpec {
  const x = {
    field: 'from',
    type: 'quantitative',
    scale: { nice: false, zero: false },
    axis: { title: axis, tickCount: frame.isNarrow ? 4 : 8, grid: false },
  };
  const kinds = ['safe', 'unsafe', 'other'] as const;
  const at = { datum: line?.value ?? 0, type: 'quantitative' };
  const once = [{ aggregate: [{ op: 'count', as: 'bins' }], groupby: ['group'] }];
  const threshold = [
    {
      mark: { type: 'rule', strokeDash: [5, 4], strokeWidth: 1.5, color: colour('ink') },
      transform: once,
      encoding: { x: at },
    },
    {
      mark: { type: 'text', align: 'left', baseline: 'top', dx: 5, y: 0, fill: colour('quiet') },
      transform: once,
      encoding: { x: at, text: { datum: number(line?.value ?? 0) } },
    },
  ];
  return {
    data: { values: bins },
    facet: {
      row: {
        field: 'group',
        type: 'nominal',
        sort: [...names],
        header: { title: null, labelOrient: 'top', labelAnchor: 'start', labelPadding: 2 },
      },
    },
    spacing: 8,
    spec: {
      width: frame.width - 40,
      height: PANEL,
      layer: [
        {
          mark: { type: 'bar', binSpacing: 0.6 },
          encoding: {
            x,
            x2: { field: 'to' },
            y: { field: 'height', type: 'quantitative', axis: null, scale: { domain: [0, 1.3] } },
            y2: { datum: 0 },
            color: {
              field: 'kind',
              type: 'nominal',
              scale: { domain: [...kinds], range: kinds.map((kind) => colour(kind)) },
              legend: null,
            },
          },
        },
        ...(line === null ? [] : threshold),
      ],
    },
  };
}

function extent(lists: readonly (readonly number[])[]): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of lists) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (high > low) return { low, high };
  return { low: low - 0.5, high: high + 0.5 };
}

function ends(values: readonly number[]): string {
  const { low, high } = values.reduce(
    (found, value) => ({ low: Math.min(found.low, value), high: Math.max(found.high, value) }),
    { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY },
  );
  return `${number(low)} to ${number(high)}`;
}
