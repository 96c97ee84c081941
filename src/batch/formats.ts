/** How requests and answers may be written; code and command line read it here. */
import type { TableKind } from '../tables/index.js';

/**
 * How requests are written: a JSON object a line, as this batch, OpenAI's and LLaVA's have it; or a row each of CSV, TSV,
 * Parquet, Arrow, or a folder of a data set.
 */
export type RequestsFormat = 'jsonl' | TableKind;

/** Every form of requests. */
export const REQUESTS_FORMATS: readonly RequestsFormat[] = ['jsonl', 'csv', 'tsv', 'parquet', 'arrow', 'folder'];

/** Of a stream: what is read from its beginning to its end. */
export type StreamedFormat = 'jsonl' | 'csv' | 'tsv';

/**
 * A form of answers beside JSON Lines. `csv` and `parquet`: a row each, with what is nested in columns of its own. `openai`:
 * lines as OpenAI's Batch API has them in its output file.
 */
export type AnswersFormat = 'csv' | 'parquet' | 'openai';

/** How names of answers in another form end. */
export const ANSWERS_ENDINGS: Readonly<Record<AnswersFormat, string>> = {
  csv: '.csv',
  parquet: '.parquet',
  openai: '.openai.jsonl',
};

/** Every form of answers beside JSON Lines. */
export const ANSWERS_FORMATS = Object.keys(ANSWERS_ENDINGS) as readonly AnswersFormat[];
