/** The rounds of a search as a table: candidates with their scores, the chosen one marked. */

import { type Paint, wrap } from '../terminal/paint.js';
import type { CandidateTrace, RoundTrace } from '../types/trace.js';
import type { EvaluatorName } from '../types/verdict.js';
import { visible } from '../visible.js';
import { score } from './verdict-text.js';

const MARK_WIDTH = 6;
const NUMBER_WIDTH = 9;
const TEXT_START = MARK_WIDTH + 3 * NUMBER_WIDTH + 2;
/** Columns that a text needs beside the numbers; with fewer it stands below them. */
const LEAST_ROOM = 24;

/**
 * One round: a heading, then each candidate as `> 2  reward  CLIP  utility  text`, the text below where columns are few.
 * Where all say the same, the chosen one stands for them.
 *
 * @param options.answers who scored them; the reward model without it
 */
export function roundLines(
  round: RoundTrace,
  options: { readonly paint: Paint; readonly columns: number; readonly answers?: EvaluatorName },
): string[] {
  const { paint, answers, columns } = options;
  const scored = answers === 'decision' ? 'score' : 'reward'; // the word itself is too long for its column
  const name = `round ${round.round}`.padEnd(MARK_WIDTH + NUMBER_WIDTH - scored.length);
  const lines = [paint('bold', `${name}${scored}${right('CLIP')}${right('utility')}`)];
  const areAlike = round.candidates.length > 1 && new Set(round.candidates.map(({ text }) => text)).size === 1;
  for (const [k, candidate] of round.candidates.entries()) {
    const isChosen = k === round.chosen;
    if (areAlike && !isChosen) continue;
    const note = areAlike ? ` (all ${round.candidates.length} alike)` : '';
    lines.push(...candidateLines(candidate, { index: k, isChosen, note }, options));
  }
  const { undrawnCount = 0 } = round;
  if (undrawnCount > 0) {
    const note = `${undrawnCount} more not drawn: one of the first passed`;
    lines.push(...wrap(note, columns - MARK_WIDTH).map((line) => paint('dim', `${' '.repeat(MARK_WIDTH)}${line}`)));
  }
  return lines;
}

function candidateLines(
  candidate: CandidateTrace,
  { index, isChosen, note }: { readonly index: number; readonly isChosen: boolean; readonly note: string },
  options: { paint: Paint; columns: number },
): string[] {
  const { paint, columns } = options;
  const numbers = [candidate.reward, candidate.clipScore, candidate.utility]
    .map((value) => right(value === null ? '-' : score(value)))
    .join('');
  const said = visible(candidate.text).trim();
  const text = said === '' ? '(nothing more)' : candidate.isFinal ? `${said} [end]` : said;
  const marker = `${isChosen ? '>' : ' '} ${String(index + 1).padStart(2)}`.padEnd(MARK_WIDTH);
  const isBeside = columns - TEXT_START >= LEAST_ROOM;
  const start = isBeside ? TEXT_START : MARK_WIDTH;
  const texts = wrap(text + note, columns - start);
  const beside = isBeside ? `  ${texts.shift() ?? ''}` : '';
  const lines = [`${marker}${numbers}${beside}`, ...texts.map((line) => `${' '.repeat(start)}${line}`)];
  return lines.map((line) => paint(isChosen ? 'green' : 'dim', line));
}

function right(text: string): string {
  return text.padStart(NUMBER_WIDTH);
}
