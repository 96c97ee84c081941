/**
 * Whether a picture is a drawing of the world that the shipped miniature knows, told by how that world is drawn
 * (models/recipe/world: render, drawing, lexicon). How often it errs: docs/miniature.md.
 */
import type { RgbImage } from '../types/picture.js';
import { isDrawnPage } from './drawn-page.js';
import { shrunk } from './shrunk.js';

/** Cells a side that a picture is looked at in. */
const SIDE = 128;

/** Sides of a drawing differ by no more than this. */
const MOST_ASPECT = 1.05;

/** The grounds are pale: no channel below 206, less what noise and JPEG take. Of a list, none below 232. */
const PALE = 190;
const PALE_RANGE = 62;
const PALE_OF_LIST = 226;
const LEAST_PALE_SHARE = 0.7;
/** A ground is drawn by chance and so is never white, as pages and charts are. */
const WHITE = 254;

/** A cell whose neighbours are this near belongs to a shape, and not to its edge. */
const FLAT_RANGE = 32;
/** How far a cell of a shape may be from the colours that shapes are filled with. */
const NEAR = 24;

/** The row below which a list has its numbers, and the column beyond which it has nothing beside them. */
const TITLE_END = 77;
const NUMBERS_END = 36;

/** The colours of things, as lexicon.py has them. */
const COLOURS = [
  [214, 38, 44],
  [247, 140, 20],
  [246, 216, 40],
  [44, 158, 62],
  [38, 92, 214],
  [142, 52, 172],
  [38, 38, 42],
] as const;
/** Each is drawn paler or darker by this. */
const GAINS = [0.88, 0.93, 0.98, 1.03, 1.08] as const;

/** Every fill: the colours first, then those of their dark details. */
const fills = (colours: readonly (readonly number[])[]) =>
  colours.flatMap((colour) => GAINS.map((gain) => colour.map((value) => Math.min(255, value * gain))));
const FILLS = fills(COLOURS);
const DARK_FILLS = fills(
  COLOURS.map((colour) => (Math.max(...colour) > 60 ? colour.map((value) => value * 0.45) : [120, 120, 128])),
);

/** Shares that tell a drawing; of cells, unless it says otherwise. */
interface Shares {
  readonly pale: number;
  /** Of the pale cells. */
  readonly white: number;
  readonly paleAsList: number;
  /** All that is not pale. */
  readonly drawn: number;
  /** Of what is drawn: inside of shapes. */
  readonly flat: number;
  /** Of that: in a colour of things or of their details; in a colour of things. */
  readonly filled: number;
  readonly coloured: number;
  /** What is drawn where a list has its title, its numbers, and nothing. */
  readonly title: number;
  readonly numbers: number;
  readonly blank: number;
}

/** Bounded work on the calling thread, some milliseconds. */
export function isOfDrawnWorld(image: RgbImage): boolean {
  const { width, height } = image;
  if (Math.max(width, height) > MOST_ASPECT * Math.min(width, height)) return false;
  const cells = shrunk(image, SIDE);
  const ground = groundOf(cells);
  if (ground.pale < LEAST_PALE_SHARE || ground.white >= 0.5) return isDrawnPage(image);
  const shares = { ...ground, ...shapesOf(cells) };
  return hasThings(shares) || isList(shares) || isDrawnPage(image);
}

/** Things and hazards: whole shapes, each filled with a colour of the world. */
function hasThings({ drawn, flat, filled, coloured }: Shares): boolean {
  return drawn >= 0.015 && flat >= 0.12 && filled >= 0.92 && coloured >= 0.5;
}

/** A title of two lines, three numbers below at the left, nothing beside them. */
function isList({ paleAsList, title, numbers, blank }: Shares): boolean {
  return paleAsList >= 0.5 && title >= 0.06 && title <= 0.28 && numbers >= 0.04 && numbers <= 0.12 && blank <= 0.004;
}

function groundOf(cells: Float32Array): Pick<Shares, 'pale' | 'white' | 'paleAsList'> {
  let pale = 0;
  let white = 0;
  let paleAsList = 0;
  for (let at = 0; at < cells.length; at += 3) {
    if (!isPale(cells, at)) continue;
    const least = leastOf(cells, at);
    pale++;
    if (least >= WHITE) white++;
    if (least >= PALE_OF_LIST) paleAsList++;
  }
  return { pale: pale / (SIDE * SIDE), white: white / pale, paleAsList: paleAsList / pale };
}

function shapesOf(cells: Float32Array): Omit<Shares, 'pale' | 'white' | 'paleAsList'> {
  const counts = { drawn: 0, flat: 0, filled: 0, coloured: 0, title: 0, numbers: 0, blank: 0 };
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const at = (row * SIDE + column) * 3;
      if (isPale(cells, at)) continue;
      counts.drawn++;
      counts[partOf(row, column)]++;
      if (!isFlat(cells, row, column)) continue;
      counts.flat++;
      const isColoured = FILLS.some((fill) => isNear(cells, at, fill));
      if (isColoured) counts.coloured++;
      if (isColoured || DARK_FILLS.some((fill) => isNear(cells, at, fill))) counts.filled++;
    }
  }
  const { drawn, flat, filled, coloured, title, numbers, blank } = counts;
  return {
    drawn: drawn / (SIDE * SIDE),
    flat: flat / drawn,
    filled: filled / flat,
    coloured: coloured / flat,
    title: title / (SIDE * TITLE_END),
    numbers: numbers / ((SIDE - TITLE_END) * NUMBERS_END),
    blank: blank / ((SIDE - TITLE_END) * (SIDE - NUMBERS_END)),
  };
}

function partOf(row: number, column: number): 'title' | 'numbers' | 'blank' {
  if (row < TITLE_END) return 'title';
  return column < NUMBERS_END ? 'numbers' : 'blank';
}

function isPale(cells: Float32Array, at: number): boolean {
  const least = leastOf(cells, at);
  return least >= PALE && Math.max(cells[at] ?? 0, cells[at + 1] ?? 0, cells[at + 2] ?? 0) - least <= PALE_RANGE;
}

function leastOf(cells: Float32Array, at: number): number {
  return Math.min(cells[at] ?? 0, cells[at + 1] ?? 0, cells[at + 2] ?? 0);
}

/** Whether a cell and its four neighbours are of one colour. */
function isFlat(cells: Float32Array, row: number, column: number): boolean {
  const own = (row * SIDE + column) * 3;
  const above = row === 0 ? own : own - SIDE * 3;
  const below = row === SIDE - 1 ? own : own + SIDE * 3;
  const left = column === 0 ? own : own - 3;
  const right = column === SIDE - 1 ? own : own + 3;
  for (let channel = 0; channel < 3; channel++) {
    const [c = 0, a = 0, b = 0] = [cells[own + channel], cells[above + channel], cells[below + channel]];
    const [l = 0, r = 0] = [cells[left + channel], cells[right + channel]];
    if (Math.max(c, a, b, l, r) - Math.min(c, a, b, l, r) > FLAT_RANGE) return false;
  }
  return true;
}

function isNear(cells: Float32Array, at: number, fill: readonly number[]): boolean {
  for (let channel = 0; channel < 3; channel++)
    if (Math.abs((cells[at + channel] ?? 0) - (fill[channel] ?? 0)) > NEAR) return false;
  return true;
}
