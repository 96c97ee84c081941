/** A picture drawn with coloured half blocks, for terminals with true colour. */

import { colour, wantsColour } from '../../terminal/paint.js';
import type { RgbImage } from '../../types/picture.js';

/** Whether a stream can show 24-bit colours. */
export function drawsPictures(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  const depth = env['COLORTERM'];
  return stream.isTTY === true && wantsColour(stream, env) && (depth === 'truecolor' || depth === '24bit');
}

/** The picture in `columns` columns, two pixels a character: the upper one in front, the lower one behind. */
export function pictureLines(image: RgbImage, columns: number): string[] {
  const rows = Math.max(1, Math.round((image.height / image.width) * (columns / 2)));
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    let line = '';
    for (let column = 0; column < columns; column++) {
      const upper = mean(image, column, columns, 2 * row, 2 * rows);
      const lower = mean(image, column, columns, 2 * row + 1, 2 * rows);
      line += `${colour(`38;2;${upper.join(';')}`)}${colour(`48;2;${lower.join(';')}`)}▀`;
    }
    lines.push(`${line}${colour(0)}`);
  }
  return lines;
}

/** Mean colour of cell (x of columns, y of rows). */
function mean(image: RgbImage, x: number, columns: number, y: number, rows: number): [number, number, number] {
  const { data, width, height } = image;
  const left = Math.min(width - 1, Math.floor((x * width) / columns));
  const top = Math.min(height - 1, Math.floor((y * height) / rows));
  const right = Math.max(left + 1, Math.floor(((x + 1) * width) / columns));
  const bottom = Math.max(top + 1, Math.floor(((y + 1) * height) / rows));
  const sum: [number, number, number] = [0, 0, 0];
  for (let j = top; j < bottom; j++) {
    for (let i = left; i < right; i++) {
      const at = (j * width + i) * 3;
      sum[0] += data[at] ?? 0;
      sum[1] += data[at + 1] ?? 0;
      sum[2] += data[at + 2] ?? 0;
    }
  }
  const count = (right - left) * (bottom - top);
  return [Math.round(sum[0] / count), Math.round(sum[1] / count), Math.round(sum[2] / count)];
}
