/** A vega-lite specification as SVG. */
import { drawn } from './drawing.js';
import { colour, withLightColours } from './palette.js';
import { escapeHtml } from './texts.js';

/** A drawing for wide and for narrow pages. Colours are CSS variables of the page it stands in. */
export interface Plot {
  /** Its file name without the ending. */
  readonly name: string;
  readonly title: string;
  /** What it shows, for those who do not see it. */
  readonly description: string;
  readonly wide: string;
  readonly narrow: string;
}

/** What a specification is drawn for. */
export interface Frame {
  /** Of the whole drawing, in CSS pixels. */
  readonly width: number;
  readonly fontSize: number;
  readonly isNarrow: boolean;
}

const WIDE: Frame = { width: 780, fontSize: 13, isNarrow: false };
/** What a phone of 360 pixels leaves beside its margins. */
const NARROW: Frame = { width: 324, fontSize: 12, isNarrow: true };

/** A part of a vega-lite specification. */
export type PlotSpec = Readonly<Record<string, unknown>>;

/** Draws a specification for both widths. `spec` gets the frame that it has to fill. */
export async function drawPlot(
  { name, title, description }: Pick<Plot, 'name' | 'title' | 'description'>,
  spec: (frame: Frame) => PlotSpec,
): Promise<Plot> {
  const draw = async (frame: Frame) => accessible(await toSvg(spec(frame), frame), { name, title, description, frame });
  return { name, title, description, wide: await draw(WIDE), narrow: await draw(NARROW) };
}

/** A plot as a file of its own, on white, in the colours of a light page. */
export function standaloneSvg({ wide }: Plot): string {
  const svg = withLightColours(wide);
  const open = svg.indexOf('</desc>') + '</desc>'.length;
  return `${svg.slice(0, open)}<rect width="100%" height="100%" fill="#ffffff"/>${svg.slice(open)}\n`;
}

async function toSvg(spec: PlotSpec, { fontSize }: Frame): Promise<string> {
  const text = { labelFont: FONT, titleFont: FONT, labelColor: colour('ink'), titleColor: colour('ink') };
  const sizes = { labelFontSize: fontSize, titleFontSize: fontSize, titleFontWeight: 'normal' };
  const config = {
    aria: false,
    background: null,
    view: { stroke: null },
    font: FONT,
    text: { fill: colour('ink'), fontSize },
    axis: {
      ...text,
      ...sizes,
      gridColor: colour('grid'),
      domainColor: colour('rule'),
      tickColor: colour('rule'),
      labelLimit: 400,
    },
    header: { ...text, ...sizes, labelFontWeight: 600, labelLimit: 700 },
    legend: { ...text, ...sizes, labelLimit: 280, orient: 'top', title: null, symbolStrokeWidth: 2 },
  };
  return await drawn({ padding: 4, ...spec, config });
}

const FONT = 'system-ui, sans-serif';

/** The drawing with a name and a description, scalable, and with ids that no other drawing of the page has. */
function accessible(
  svg: string,
  { name, title, description, frame }: Omit<Plot, 'wide' | 'narrow'> & { readonly frame: Frame },
): string {
  const id = `plot-${name}-${frame.isNarrow ? 'narrow' : 'wide'}`;
  const [, width = '0', height = '0'] = /^<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const body = svg
    .slice(svg.indexOf('>') + 1)
    .replace(/\bid="([^"]+)"/g, `id="${id}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${id}-$1)`);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
    ` role="img" aria-labelledby="${id}-title" aria-describedby="${id}-desc">` +
    `<title id="${id}-title">${escapeHtml(title)}</title><desc id="${id}-desc">${escapeHtml(description)}</desc>${body}`
  );
}
