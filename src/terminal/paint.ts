/** Colour, and text that fits the terminal. */
import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import { visible } from '../visible.js';
import { cutAt, padded, widthOf } from './width.js';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta';
export type Paint = (style: Style, text: string) => string;

const NARROWEST = 40;
/** Of a terminal that does not say. */
export const USUAL_COLUMNS = 80;
const WIDEST = 100;

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Whether a stream gets colour: NO_COLOR says no, FORCE_COLOR yes (0 or false: no), else a terminal that is not dumb. */
export function wantsColour(stream: Output, env: NodeJS.ProcessEnv = process.env): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** A painter for one stream; without colour it returns the text as it is. */
export function createPaint(stream: Output, env: NodeJS.ProcessEnv = process.env): Paint {
  if (!wantsColour(stream, env)) return (_, text) => text;
  return (style, text) => {
    const [open, close] = inspect.colors[style] ?? [0, 0];
    return `${colour(open)}${text}${colour(close)}`;
  };
}

/** What tells our colours from those in a text that came from outside: nobody there can know it. */
const OWN = randomInt(2 ** 47);
const OWN_COLOUR = new RegExp(`\x1b\\[${OWN};([\\d;]+)m`);

/** What turns a colour on or off, such as "31", until {@link forTerminal} has seen it. */
export function colour(codes: string | number): string {
  return `\x1b[${OWN};${codes}m`;
}

/** The text as a terminal may have it: with our colours, and all else that it would obey written out. */
export function forTerminal(text: string): string {
  return text
    .split(OWN_COLOUR)
    .map((piece, at) => (at % 2 === 0 ? visible(piece) : `\x1b[${piece}m`))
    .join('');
}

/** Columns to write in: the terminal's, within reason. Elsewhere no line is broken, whoever reads it. */
export function columnsOf(stream: Output): number {
  const all = allColumnsOf(stream);
  return stream.isTTY === true ? Math.min(WIDEST, Math.max(NARROWEST, all)) : all;
}

/** All that the terminal has, for tables and for lines that must never break; infinitely many elsewhere. */
export function allColumnsOf({ isTTY, columns = 0 }: Output): number {
  if (isTTY !== true) return Number.POSITIVE_INFINITY;
  return columns === 0 ? USUAL_COLUMNS : columns;
}

/** Where a word that is too long is cut: paths and names have them. */
const SEAMS = '/-_,';

/** Breaks text at spaces into lines of at most `width` columns; a longer word is cut. Line breaks are kept. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  const room = Math.max(2, width); // a letter may take two
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(/\s+/).filter((part) => part !== '')) {
      let rest = word;
      if (line !== '' && widthOf(line) + 1 + widthOf(rest) <= width) {
        line += ` ${rest}`;
        continue;
      }
      if (line !== '') lines.push(line);
      for (;;) {
        const [start, behind] = cutAt(rest, room); // looks no further than it cuts
        if (behind === '') break;
        const seam = Math.max(...[...SEAMS].map((sign) => start.lastIndexOf(sign))) + 1;
        const end = seam > start.length / 2 ? seam : start.length;
        lines.push(rest.slice(0, end));
        rest = rest.slice(end);
      }
      line = rest;
    }
    lines.push(line);
  }
  return lines;
}

/** Text behind a label: the first line after it, the others under it. */
export function labelled(label: string, text: string, options: { labelWidth: number; columns: number }): string[] {
  const { labelWidth, columns } = options;
  return wrap(text, Math.max(20, columns - labelWidth)).map((line, i) =>
    `${padded(i === 0 ? label : '', labelWidth)}${line}`.trimEnd(),
  );
}
