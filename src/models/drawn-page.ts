/**
 * Whether a picture is a list as the miniature's world writes one (models/world-2/world: render, pages): paper and ink of one
 * colour each; a title of some lines; below it three numbers, one under the other at the title's left edge; nothing else.
 * It may be turned by some degrees. The words are not read.
 */
import type { RgbImage } from '../types/picture.js';
import { shrunk } from './shrunk.js';

/** Cells a side that a page is looked at in: its smallest figures are seven of 224 pixels high. */
const SIDE = 224;

/** Paper is drawn by chance and so is never white, as pages and charts are. */
const WHITE = 254;
/** How far from the paper ink is at least, in grey levels, and how much of the rest may be further away. */
const LEAST_CONTRAST = 34;
const MOST_STAINS = 0.002;
/** How far paper's own colours reach, in shares of its cells within a distance. */
const PAPER_NEAR = 22;
const LEAST_PAPER = 0.985;
const LEAST_INK = 0.002;
const MOST_INK = 0.25;

/** Degrees that a page is turned by at most, and the steps in which they are tried. */
const MOST_SLANT = 16;
const SLANT_STEP = 1;

/** Bounded work on the calling thread, a few milliseconds for any size. */
export function isDrawnPage(image: RgbImage): boolean {
  const ink = inkOf(shrunk(image, SIDE));
  return ink !== null && isList(linesOf(ink, straightest(ink)));
}

/** Places of the cells of ink, from the middle: x and y in turn; null where the picture is no paper with ink of one kind. */
function inkOf(cells: Float32Array): Int16Array | null {
  const greys = new Float32Array(SIDE * SIDE);
  for (let at = 0; at < greys.length; at++)
    greys[at] = ((cells[at * 3] ?? 0) + (cells[at * 3 + 1] ?? 0) + (cells[at * 3 + 2] ?? 0)) / 3;
  const paper = median(greys.length, (at) => greys[at] ?? 0);
  const channels = [0, 1, 2].map((channel) => median(greys.length, (at) => cells[at * 3 + channel] ?? 0));
  const [red = 0, green = 0, blue = 0] = channels;
  if (Math.min(red, green, blue) >= WHITE) return null;
  const noise = 6 * median(greys.length, (at) => Math.abs((greys[at] ?? 0) - paper));
  const least = Math.max(LEAST_CONTRAST, noise);
  let light = 0;
  let dark = 0;
  for (const grey of greys) {
    if (grey - paper > least) light++;
    if (paper - grey > least) dark++;
  }
  const sign = light > dark ? 1 : -1;
  const inkCount = Math.max(light, dark);
  if (Math.min(light, dark) > MOST_STAINS * greys.length) return null;
  if (inkCount < LEAST_INK * greys.length || inkCount > MOST_INK * greys.length) return null;
  // Beside the ink and its edges there is paper alone, in its own colour.
  const found = new Int16Array(2 * inkCount);
  const near = PAPER_NEAR + noise / 2;
  let [place, own, blank] = [0, 0, 0];
  for (let at = 0; at < greys.length; at++) {
    const away = ((greys[at] ?? 0) - paper) * sign;
    if (away > least) {
      found[place++] = (at % SIDE) - SIDE / 2;
      found[place++] = Math.floor(at / SIDE) - SIDE / 2;
    } else if (away < least / 2) {
      blank++;
      const [r = 0, g = 0, b = 0] = [cells[at * 3], cells[at * 3 + 1], cells[at * 3 + 2]];
      if (Math.abs(r - red) <= near && Math.abs(g - green) <= near && Math.abs(b - blue) <= near) own++;
    }
  }
  return own >= LEAST_PAPER * blank ? found : null;
}

/** The angle in which the rows are fullest and emptiest: that in which the text lies level. */
function straightest(ink: Int16Array): number {
  const counts = new Int32Array(2 * SIDE);
  let [best, sharpest] = [0, -1];
  for (let degrees = -MOST_SLANT; degrees <= MOST_SLANT; degrees += SLANT_STEP) {
    const angle = (degrees * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    counts.fill(0);
    for (let at = 0; at < ink.length; at += 2) {
      const row = Math.round((ink[at + 1] ?? 0) * cos - (ink[at] ?? 0) * sin) + SIDE;
      counts[row] = (counts[row] ?? 0) + 1;
    }
    const sharpness = counts.reduce((sum, count) => sum + count * count, 0);
    if (sharpness > sharpest) [best, sharpest] = [angle, sharpness];
  }
  return best;
}

interface Line {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** The lines of text of a page that is turned back by an angle, from the top. */
function linesOf(ink: Int16Array, angle: number): Line[] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const lefts = new Float32Array(2 * SIDE).fill(Number.POSITIVE_INFINITY);
  const rights = new Float32Array(2 * SIDE).fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < ink.length; at += 2) {
    const [x = 0, y = 0] = [ink[at], ink[at + 1]];
    const across = x * cos + y * sin;
    const row = Math.round(y * cos - x * sin) + SIDE;
    lefts[row] = Math.min(lefts[row] ?? 0, across);
    rights[row] = Math.max(rights[row] ?? 0, across);
  }
  const lines: Line[] = [];
  for (const [row, left] of lefts.entries()) {
    if (left === Number.POSITIVE_INFINITY) continue;
    const right = rights[row] ?? left;
    const last = lines.at(-1);
    if (last === undefined || row > last.bottom + 1) lines.push({ top: row, bottom: row, left, right });
    else
      lines[lines.length - 1] = {
        top: last.top,
        bottom: row,
        left: Math.min(last.left, left),
        right: Math.max(last.right, right),
      };
  }
  return lines;
}

/** A title of one to four lines, and three numbers under its left edge at equal distances. */
function isList(lines: readonly Line[]): boolean {
  const numbers = lines.slice(-3);
  const title = lines.slice(0, -3);
  if (title.length < 1 || title.length > 4 || numbers.length < 3) return false;
  const [one, two, three] = numbers as [Line, Line, Line];
  const heights = numbers.map(({ top, bottom }) => bottom - top + 1);
  const tallest = Math.max(...heights);
  const widest = Math.max(...numbers.map(({ left, right }) => right - left + 1));
  const step = two.top - one.top;
  const left = Math.min(...title.map((line) => line.left));
  const right = Math.max(...title.map((line) => line.right));
  return (
    tallest - Math.min(...heights) <= Math.max(2, 0.25 * tallest) &&
    Math.abs(three.top - two.top - step) <= Math.max(2, 0.15 * step) &&
    step <= 3 * tallest &&
    widest <= 2.2 * tallest + 3 &&
    widest <= 0.6 * (right - left) &&
    numbers.every((line) => Math.abs(line.left - left) <= 2 + 0.6 * tallest)
  );
}

/** Of values from 0 to 255, to a whole number. */
function median(count: number, valueAt: (at: number) => number): number {
  const counts = new Int32Array(256);
  for (let at = 0; at < count; at++) {
    const value = Math.min(255, Math.round(valueAt(at)));
    counts[value] = (counts[value] ?? 0) + 1;
  }
  let [value, before] = [0, 0];
  while (before + (counts[value] ?? 0) <= count / 2) before += counts[value++] ?? 0;
  return value;
}
