/** A picture as a small square of cells, so that looking at it takes as long whatever its size. */
import type { RgbImage } from '../types/picture.js';

/** Samples a side of a cell, at most. */
const SAMPLES = 4;

/** Mean colours of `side` by `side` cells, row by row, three values each. */
export function shrunk({ data, width, height }: RgbImage, side: number): Float32Array {
  const cells = new Float32Array(side * side * 3);
  const samples = Math.min(SAMPLES, Math.ceil(Math.max(width, height) / side));
  const places = (length: number) =>
    Array.from({ length: side * samples }, (_, index) => Math.floor(((index + 0.5) * length) / (side * samples)));
  const columns = places(width);
  for (const [j, row] of places(height).entries()) {
    const line = Math.floor(j / samples) * side;
    for (let i = 0; i < columns.length; i++) {
      const from = (row * width + (columns[i] ?? 0)) * 3;
      const to = (line + Math.floor(i / samples)) * 3;
      for (let channel = 0; channel < 3; channel++)
        cells[to + channel] = (cells[to + channel] ?? 0) + (data[from + channel] ?? 0) / (samples * samples);
    }
  }
  return cells;
}
