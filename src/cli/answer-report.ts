/** What is told of an answer below its text: how it came about, what was found and done, and by whom. */
import { labelled, type Paint } from '../terminal/paint.js';
import type { EtaResult } from '../types/result.js';
import type { RungTrace, SentenceTrace } from '../types/trace.js';
import { visible, visibleName } from '../visible.js';
import { roundLines } from './round-table.js';
import { answersBy, LABEL_WIDTH, RUNG_LABELS, score, verdictLines } from './verdict-text.js';

export interface ReportForm {
  /** Whether the model's own answer, where it was not given out, and the rounds of the search are told too. */
  readonly showsRounds: boolean;
  readonly paint: Paint;
  readonly columns: number;
}

export function reportLines(result: EtaResult, { showsRounds, paint, columns }: ReportForm): string[] {
  const { trace, usage, timings } = result;
  const lines: string[] = [];
  if (showsRounds) {
    if (trace.sentences !== undefined) {
      for (const [at, sentence] of trace.sentences.entries())
        lines.push(...labelled(`sentence ${at + 1}`, sentenceText(sentence), { labelWidth: LABEL_WIDTH, columns }));
      lines.push('');
    } else if (trace.vanillaText !== null && result.verdict.action !== 'answered') {
      lines.push(...labelled('vanilla', visible(trace.vanillaText), { labelWidth: LABEL_WIDTH, columns }), '');
    }
    for (const round of trace.rounds) lines.push(...roundLines(round, { paint, columns, answers: answersBy(trace) }));
    if (trace.rounds.length > 0) lines.push('');
    for (const rung of trace.rungs?.filter((tried) => tried.rung !== 'search') ?? [])
      lines.push(...rungLines(rung, result, { paint, columns }));
  }
  lines.push(...verdictLines(result, { paint, columns }));
  const rounds =
    trace.rounds.length === 0 ? '' : `${trace.rounds.length} ${trace.rounds.length === 1 ? 'round' : 'rounds'}, `;
  const seconds = (timings.totalMs / 1000).toFixed(2);
  const about = `${visibleName(result.model)}, seed ${result.seed}, ${rounds}${usage.sampledTokenCount} tokens sampled, ${seconds} s`;
  lines.push(...labelled('model', about, { labelWidth: LABEL_WIDTH, columns }).map((line) => paint('dim', line)));
  return lines;
}

/** What was found at its end, and what it says where that was given out. */
function sentenceText({ text, tokenCount, judgement }: SentenceTrace): string {
  const said =
    text === null ? `held back, ${tokenCount} ${tokenCount === 1 ? 'token' : 'tokens'}` : visible(text).trim();
  return `${score(judgement.score).padStart(6)}  ${judgement.isUnsafe ? 'unsafe' : 'safe  '}  ${said}`;
}

/** What a rung of a ladder made, and from what. */
function rungLines(
  { rung, caption, text, rounds }: RungTrace,
  { trace }: EtaResult,
  { paint, columns }: Pick<ReportForm, 'paint' | 'columns'>,
): string[] {
  const place = { labelWidth: LABEL_WIDTH, columns };
  const name = RUNG_LABELS[rung].trim();
  const lines = caption === null ? [] : [...labelled(name, visible(caption), place), ''];
  for (const round of rounds) lines.push(...roundLines(round, { paint, columns, answers: answersBy(trace) }));
  return [...lines, ...labelled(caption === null ? name : '', visible(text), place), ''];
}
