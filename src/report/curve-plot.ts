/** Lines: a figure over another, such as cost over N. */
import { drawPlot, type Frame, type Plot, type PlotSpec } from './draw.js';
import { formatted, isNumber } from './numbers.js';
import { colour, seriesColours } from './palette.js';
import type { Curve } from './report-data.js';
import { distinctLabels, label } from './texts.js';

const SERIES_LIMIT = 12;
const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
];
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'triangle-down', 'cross'] as const;

interface Point {
  readonly series: string;
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** @returns null when there is no point */
export async function curvePlot(name: string, curve: Curve): Promise<Plot | null> {
  const shown = curve.series
    .map((series) => ({ ...series, points: series.points.filter(({ x, y }) => isNumber(x) && isNumber(y)) }))
    .filter(({ points }) => points.length > 0)
    .slice(0, SERIES_LIMIT);
  if (shown.length === 0) return null;
  const names = distinctLabels(
    shown.map(({ name }) => name),
    30,
  );
  const points = shown.flatMap(({ points }, at): Point[] =>
    points.map(({ x, y, low, high }) => {
      const bounds = isNumber(low) && isNumber(high) ? { low, high } : { low: y, high: y };
      return { series: names[at] ?? '', x, y, ...bounds };
    }),
  );
  const colours = seriesColours(shown.map(({ name }) => name));
  const format = curve.isShare ? 'percent' : 'number';
  const told = points.slice(0, 60).map(({ series, x, y }) => `${series} at ${x}: ${formatted(y, format)}`);
  const description = label(`${curve.y} over ${curve.x}. ${told.join('; ')}.`, 2000);
  return await drawPlot({ name, title: label(curve.title, 120), description }, (frame) =>
    curveSpec(points, { frame, names, colours, curve }),
  );
}

interface CurveOptions {
  readonly frame: Frame;
  readonly names: readonly string[];
  readonly colours: readonly string[];
  readonly curve: Curve;
}

function curveSpec(points: readonly Point[], { frame, names, colours, curve }: CurveOptions): PlotSpec {
  const x = xChannel(points, curve, frame);
  const y = yChannel(points, curve);
  const scaled = (range: readonly unknown[]) => ({
    domain: [...names],
    range: names.map((_, at) => range[at % range.length]),
  });
  const legend = names.length === 1 ? null : { columns: frame.isNarrow ? 2 : 6, offset: 22, symbolSize: 70 };
  const field = { field: 'series', type: 'nominal', legend: null };
  const color = { ...field, scale: { domain: [...names], range: [...colours] } };
  return {
    data: { values: points },
    width: frame.width - 70,
    height: frame.isNarrow ? 200 : 260,
    resolve: { legend: { color: 'independent', shape: 'independent', strokeDash: 'independent' } },
    layer: [
      ...referenceLayers(curve, frame),
      {
        mark: { type: 'rule', strokeWidth: 1.5 },
        encoding: { x, color, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: { x, y, color, strokeDash: { ...field, scale: scaled(DASHES) } },
      },
      {
        mark: { type: 'point', filled: true, size: 60, opacity: 1 },
        encoding: { x, y, color: { ...color, legend }, shape: { ...field, scale: scaled(SHAPES), legend } },
      },
    ],
  };
}

/** A tick for each x, while there are few. */
function xChannel(points: readonly Point[], curve: Curve, { isNarrow }: Frame): PlotSpec {
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  return {
    field: 'x',
    type: 'quantitative',
    scale: { nice: false, zero: false, padding: 12 },
    axis: {
      title: label(curve.x, 60),
      grid: false,
      format: '~g',
      ...(xs.length <= (isNarrow ? 6 : 10) ? { values: xs } : { tickCount: isNarrow ? 4 : 8 }),
    },
  };
}

/** Shares up to the whole, unless all are small. */
function yChannel(points: readonly Point[], curve: Curve): PlotSpec {
  const highest = Math.max(...points.map(({ high }) => high), 0.01);
  return {
    field: 'y',
    type: 'quantitative',
    scale: { zero: true, ...(curve.isShare && highest > 0.5 ? { domain: [0, 1] } : {}) },
    axis: {
      title: label(curve.y, 40),
      titleAngle: 0,
      titleAlign: 'left',
      titleAnchor: 'end',
      titleX: -36,
      titleY: -10,
      tickCount: 5,
      ...(curve.isShare ? { format: '.0%' } : {}),
    },
  };
}

/** The horizontal line, if there is one, with its name at the right. */
function referenceLayers({ reference }: Curve, { width }: Frame): PlotSpec[] {
  if (reference === undefined || !isNumber(reference.value)) return [];
  const y = { datum: reference.value };
  const color = { value: colour('quiet') };
  return [
    {
      data: { values: [{}] },
      mark: { type: 'rule', color: colour('quiet'), strokeWidth: 1.5 },
      encoding: { y, color },
    },
    {
      data: { values: [{}] },
      mark: { type: 'text', align: 'right', baseline: 'bottom', dy: -3, x: width - 74 },
      encoding: { y, text: { value: label(reference.name, 40) }, color },
    },
  ];
}
