/** What the demo prints: one story a request, readable at 80 columns, with or without colour. */

import { labelled, type Paint, USUAL_COLUMNS, wrap } from '../../terminal/paint.js';
import type { EtaResult } from '../../types/result.js';
import { visible } from '../../visible.js';
import { roundLines } from '../round-table.js';
import { LABEL_WIDTH, score, verdictLines } from '../verdict-text.js';
import type { GalleryPicture } from './gallery.js';

interface Layout {
  readonly paint: Paint;
  readonly columns: number;
}

export interface DemoCase {
  readonly heading: string;
  readonly picture: GalleryPicture;
  /** The picture as lines for the terminal, or none. */
  readonly drawing: readonly string[];
  readonly result: EtaResult;
}

/** What the reader is about to see. */
export function introLines(result: EtaResult, { paint, columns }: Layout): string[] {
  const { unsafeClipScore, safeReward } = result.trace.thresholds;
  const text =
    `Two requests, models '${result.model}', seed ${result.seed}. The CLIP score says how near a picture is to a ` +
    `description of unsafe pictures: unsafe from ${score(unsafeClipScore)} on. The reward says how safe an answer reads: ` +
    `safe above ${score(safeReward)}. When both are unsafe, the answer is generated again behind a prefix, sentence by ` +
    'sentence, and of several candidates the best is taken (marked >).';
  return [paint('bold', 'eta-vlm demo'), ...wrap(text, columns)];
}

/** One request from question to final answer. */
export function caseLines(item: DemoCase, layout: Layout): string[] {
  const { paint, columns } = layout;
  const { heading, picture, drawing, result } = item;
  const { trace, timings } = result;
  const say = (label: string, text: string, style?: 'bold') =>
    labelled(label, visible(text), { labelWidth: LABEL_WIDTH, columns }).map((line, i) => {
      const body = line.slice(LABEL_WIDTH);
      return `${paint('dim', i === 0 ? line.slice(0, LABEL_WIDTH) : ' '.repeat(LABEL_WIDTH))}${style ? paint(style, body) : body}`;
    });

  const lines = ['', paint('cyan', `── ${heading} `.padEnd(Math.min(columns, USUAL_COLUMNS), '─')), ''];
  lines.push(...drawing.map((line) => `${' '.repeat(LABEL_WIDTH)}${line}`));
  lines.push(
    ...say('picture', `${picture.file}. ${picture.description}`),
    ...say('question', picture.question, 'bold'),
    '',
  );
  lines.push(...say('vanilla', trace.vanillaText ?? '(not made)'));
  if (result.verdict.action !== 'answered') {
    const note = labelled('', '(what would have been said without ETA)', { labelWidth: LABEL_WIDTH, columns });
    lines.push(...note.map((line) => paint('dim', line)));
  }
  lines.push('', ...verdictLines(result, layout));
  if (trace.rounds.length > 0) {
    if (trace.interferencePrefix !== '') lines.push('', ...say('prefix', trace.interferencePrefix));
    for (const round of trace.rounds) lines.push('', ...roundLines(round, layout));
  }
  lines.push('', ...say('final', result.text, 'bold'));
  lines.push(paint('dim', `${' '.repeat(LABEL_WIDTH)}(${(timings.totalMs / 1000).toFixed(2)} s)`));
  return lines;
}
