/** What became of a batch, in a few lines. */
import type { AnswerLine, BatchSummary } from '../../batch/index.js';
import { fitLine } from '../../terminal/fit.js';
import { inFlags, LOADING_FLAGS } from '../../terminal/option-flags.js';
import type { Paint } from '../../terminal/paint.js';
import { visibleName } from '../../visible.js';
import { durationText, rateText } from '../batch-progress.js';
import { LABEL_WIDTH } from '../verdict-text.js';

/** A line says its own options by their names; what was loaded, and how lines are read, was said by flags. */
const SAID_FLAGS = { ...LOADING_FLAGS, format: '--input-format' };
const SAID_NAMES = new Set(Object.values(SAID_FLAGS).filter((flag) => flag !== null));

export interface SummaryOptions {
  /** How long this run took; without it, nothing was run. */
  readonly ms?: number;
  /** Files that were joined, where that is what was done. */
  readonly mergedFileCount?: number;
  /** False for a batch that was stopped. */
  readonly isWhole: boolean;
  readonly path: string;
  /** What was written beside the results, a line for each. @default none */
  readonly written?: readonly string[];
  /** What a request is in what was read. @default 'line' */
  readonly unit?: 'line' | 'row';
  /** Some that failed. */
  readonly failures: readonly AnswerLine[];
  /** Requests about what the miniature does not know, where no models were named. @default 0 */
  readonly unknownCount?: number;
  readonly paint: Paint;
  /** That a line may have. */
  readonly columns: number;
}

export function summaryLines(summary: BatchSummary, options: SummaryOptions): string[] {
  const { tally } = summary;
  const { isWhole, path, written = [], failures, unknownCount = 0, mergedFileCount, paint, columns } = options;
  const { unit = 'line' } = options;
  const width = String(tally.lineCount).length;
  const indent = ' '.repeat(LABEL_WIDTH);
  const row = (label: string, count: number, words = '') =>
    `${label.padEnd(LABEL_WIDTH)}${String(count).padStart(width)}  ${words}`.trimEnd();
  const lines = [`${'requests'.padEnd(LABEL_WIDTH)}${doneText(summary, options)}`];
  lines.push(row('answered', tally.answeredCount, "the model's own answer stands"));
  if (tally.alignedCount > 0) lines.push(row('aligned', tally.alignedCount, 'found unsafe, and generated again'));
  if (tally.refusedCount > 0) {
    lines.push(row('refused', tally.refusedCount, 'found unsafe even then, a fixed sentence stands in'));
  }
  if (tally.cutCount > 0) {
    lines.push(row('cut', tally.cutCount, 'of these, at --max-tokens or the end of the context: stopReason tells'));
  }
  if (tally.errorCount > 0) {
    lines.push(paint('red', row('errors', tally.errorCount, 'no answer, the results tell why')));
    for (const { line, id, error } of failures) {
      const name = id === null ? `${unit} ${line}` : `${unit} ${line}, ${id}`;
      const message = inFlags(error?.message ?? '', SAID_NAMES, { table: SAID_FLAGS });
      lines.push(`${indent}${visibleName(`${name}: ${message} (${error?.code})`)}`);
    }
    if (tally.errorCount > failures.length && failures.length > 0) lines.push(`${indent}...`);
    if (isWhole) {
      const how =
        mergedFileCount === undefined ? '--retry-errors asks' : 'eta-vlm batch --retry-errors, into this file, asks';
      lines.push(paint('dim', `${indent}${how} them again.`));
    }
  }
  if (unknownCount > 0) lines.push(row('unknown', unknownCount, 'the miniature does not know what they are about'));
  lines.push(`${'results'.padEnd(LABEL_WIDTH)}${visibleName(path)}`);
  for (const one of written) lines.push(`${indent}${visibleName(one)}`);
  if (!isWhole) lines.push('Stopped before the end. The same command with --resume goes on.');
  return lines.flatMap((line) => fitLine(line, columns));
}

function doneText(
  { doneCount, keptCount }: BatchSummary,
  { ms, mergedFileCount, isWhole, unit = 'line' }: SummaryOptions,
): string {
  if (mergedFileCount !== undefined) {
    return `${doneCount}, from ${mergedFileCount} ${mergedFileCount === 1 ? 'file' : 'files'}`;
  }
  const freshCount = doneCount - keptCount;
  const before = keptCount === 0 ? '' : `, ${keptCount} before`;
  if (freshCount === 0)
    return keptCount === 0 ? (isWhole ? `0, no ${unit} was found to ask` : '0') : `nothing left to do${before}`;
  return ms === undefined
    ? `${freshCount} done${before}`
    : `${freshCount} done in ${durationText(ms)}, ${rateText((1000 * freshCount) / ms)}${before}`;
}
