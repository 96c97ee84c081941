/** Where the answers of a batch stand in another form, and what of it may be replaced. */
import { UsageError } from '../errors.js';
import { describePath } from '../options.js';
import { earlierAt, type FileEnds } from '../outputs/index.js';
import { openTable, separatedLine } from '../tables/index.js';
import { ANSWER_COLUMNS } from './answer-cells.js';
import { ANSWERS_ENDINGS, type AnswersFormat } from './formats.js';

/**
 * Where a form stands beside its results: `answers.csv` beside `answers.jsonl`.
 *
 * @throws UsageError ERR_INVALID_OPTION for results of that very name: they are JSON Lines
 */
export function answersPath(results: string, format: AnswersFormat): string {
  const ending = ANSWERS_ENDINGS[format];
  if (!results.toLowerCase().endsWith(ending)) return `${results.replace(/\.(jsonl|ndjson)$/i, '')}${ending}`;
  const stem = results.slice(0, -ending.length);
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected a name for the results, which are JSON Lines, received ${describePath(results)}. Name them ${describePath(`${stem}.jsonl`)}; ${describePath(`${stem}${ending}`)} is written beside it.`,
  );
}

/**
 * Refuses early what {@link writeAnswers} would refuse once all answers are there.
 *
 * @param mayReplace whether answers in this form, of an earlier run, make place; nothing else ever does
 * @throws UsageError ERR_RESULTS_EXIST
 */
export async function checkAnswersPlace(path: string, format: AnswersFormat, mayReplace: boolean): Promise<void> {
  const found = await earlierAt(path, (ends) => IS_OURS[format](ends, path));
  if (found === 'other')
    throw new UsageError(
      'ERR_RESULTS_EXIST',
      `Expected nothing at ${describePath(path)}, where the answers go as ${format}, or those of an earlier batch in this form; found something else, which stays. Name the results otherwise, or take the file away.`,
    );
  if (found === 'ours' && !mayReplace)
    throw new UsageError(
      'ERR_RESULTS_EXIST',
      `Expected no file yet at ${describePath(path)}, where the answers go as ${format}, found one. Take it away, or begin it anew with overwrite: true. Or go on with resume: true.`,
    );
}

const NAMES = ANSWER_COLUMNS.map(({ name }) => name);

/** A line of {@link openaiLine}, whose digest stands in it up to three times; OpenAI's own lines are not so. */
const OPENAI_LINE =
  /^\{"id":"batch_req_((?:[^"\\]|\\.)+)","custom_id":"(?:[^"\\]|\\.)*","response":(?:null,"error":\{"code":"ERR_|\{"status_code":200,"request_id":"req_\1","body":\{"id":"chatcmpl-\1",)/;

/** Whether a file holds answers of a batch in a form. */
const IS_OURS: Readonly<Record<AnswersFormat, (ends: FileEnds, path: string) => boolean | Promise<boolean>>> = {
  csv: ({ head }) => head.startsWith(`${separatedLine(NAMES)}\n`),
  parquet: async ({ tail }, path) => tail.includes('eta-vlm') && (await hasOurColumns(path)),
  openai: ({ head }) => OPENAI_LINE.test(head),
};

async function hasOurColumns(path: string): Promise<boolean> {
  const table = await openTable(path, 'parquet');
  await table.close();
  const { columns } = table;
  return columns.length === NAMES.length && columns.every((name, index) => name === NAMES[index]);
}
