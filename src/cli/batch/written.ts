/** What a batch writes once it is complete: its answers in other forms, and a report. */
import { type AnswersFormat, answersPath, checkAnswersPlace, writeAnswers } from '../../batch/index.js';
import { UsageError } from '../../errors.js';
import { describePath } from '../../options.js';
import type { Output } from '../../outputs/index.js';
import { checkReportPlace, reportOutputs } from '../../report/index.js';

/** What is wanted beside the results, as flags say it. */
export interface WritingFlags {
  readonly outputFormat?: readonly AnswersFormat[];
  readonly report?: string;
}

/** Endings that promise another form than the results have. */
const TABLE_ENDING = /\.(csv|tsv|parquet|arrow)$/i;

/** Where it goes. @throws UsageError ERR_INVALID_OPTION, also for results that are named as a table */
export function writtenOutputs(results: string, { outputFormat = [], report }: WritingFlags): Output[] {
  if (TABLE_ENDING.test(results))
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--out: expected a name for the results, which are JSON Lines, received ${describePath(results)}. Name them ${describePath(results.replace(TABLE_ENDING, '.jsonl'))}; --output-format csv or parquet writes a table beside them.`,
    );
  const forms = outputFormat.map((format) => ({
    path: answersPath(results, format),
    name: `The answers as ${format} (--output-format)`,
  }));
  return [...forms, ...(report === undefined ? [] : reportOutputs(report, 'The report (--report)'))];
}

/** What stands there may be of an earlier run where one is gone on with or begun anew. @throws UsageError ERR_RESULTS_EXIST */
export async function checkWritten(
  results: string,
  { outputFormat = [], report }: WritingFlags,
  mayReplace: boolean,
): Promise<void> {
  for (const format of outputFormat) await checkAnswersPlace(answersPath(results, format), format, mayReplace);
  if (report !== undefined) await checkReportPlace(report);
}

/**
 * Writes it all.
 *
 * @returns what was written, a line for each
 * @throws EtaError what writing throws; AbortError
 */
export async function writeBeside(
  results: string,
  { outputFormat = [], report }: WritingFlags,
  signal: AbortSignal,
): Promise<string[]> {
  const written: string[] = [];
  for (const format of outputFormat) written.push(`${format}: ${await writeAnswers({ results, format, signal })}`);
  if (report !== undefined) {
    const { reportAnswers } = await import('./report.js');
    written.push(`report: ${await reportAnswers(results, report, signal)}`);
  }
  return written;
}
