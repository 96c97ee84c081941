/** The answers of a batch in the forms that other programs read, each a file beside the results, written whole. */
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { throwIfAborted } from '../errors.js';
import { parseOptions } from '../options.js';
import { checkApart, writeWhole } from '../outputs/index.js';
import { separatedLine, writeParquet } from '../tables/index.js';
import { ANSWER_COLUMNS, answerCells } from './answer-cells.js';
import type { AnswerLine } from './answer-line.js';
import { answersPath, checkAnswersPlace } from './answers-place.js';
import { ANSWERS_FORMATS, type AnswersFormat } from './formats.js';
import { openaiLine } from './openai-line.js';
import { readAnswers } from './results-lines.js';
import { resultsOutputs } from './results-place.js';

/** What `writeAnswers` takes. */
export interface WriteAnswersOptions {
  /** The results file. */
  results: string;
  /** In which form. */
  format: AnswersFormat;
  /** Where to. @default beside the results: {@link answersPath} */
  out?: string | undefined;
  /** Ends the writing with an AbortError, and nothing is written. */
  signal?: AbortSignal | undefined;
}

const schema = z.strictObject({
  results: z.string('expected a path').min(1, 'expected a path'),
  format: z.enum(ANSWERS_FORMATS, `expected one of ${ANSWERS_FORMATS.join(', ')}`),
  out: z.string('expected a path').min(1, 'expected a path').optional(),
  signal: signalSchema.optional(),
});

/**
 * Writes the answers of a results file in another form, in their order, whole or not at all. The results stay as they are.
 * Answers of an earlier batch in that form are replaced, and nothing else.
 *
 * @returns where it was written
 * @throws UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION, ERR_RESULTS_EXIST; FileError ERR_FILE_READ, ERR_FILE_INVALID, ERR_FILE_WRITE; AbortError
 */
export async function writeAnswers(options: WriteAnswersOptions): Promise<string> {
  const {
    results,
    format,
    out = answersPath(options.results, options.format),
    signal,
  } = parseOptions(schema, options, 'writeAnswers options');
  const kept = await resultsOutputs(results, 'the results');
  await checkApart([{ path: out, name: 'The answers in another form' }], kept);
  await checkAnswersPlace(out, format, true);
  await writeWhole(out, async (draft) => {
    const answers = untilStopped(readAnswers(results), signal);
    if (format === 'parquet') await writeParquet(draft, ANSWER_COLUMNS, mapped(answers, answerCells), signal);
    else await writeLines(draft, format === 'csv' ? csvLines(answers) : openaiLines(answers));
  });
  return out;
}

async function* untilStopped<Item>(
  items: AsyncIterable<Item>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item, void> {
  for await (const item of items) {
    throwIfAborted(signal);
    yield item;
  }
}

async function* mapped<Item, Result>(items: AsyncIterable<Item>, work: (item: Item) => Result) {
  for await (const item of items) yield work(item);
}

async function* csvLines(answers: AsyncIterable<AnswerLine>): AsyncGenerator<string, void> {
  yield separatedLine(ANSWER_COLUMNS.map(({ name }) => name));
  yield* mapped(answers, (answer) => separatedLine(answerCells(answer)));
}

function openaiLines(answers: AsyncIterable<AnswerLine>): AsyncIterable<string> {
  return mapped(answers, (answer) => JSON.stringify(openaiLine(answer)));
}

/** Characters that are written at once. */
const CHUNK_LENGTH = 2 ** 17;

async function writeLines(draft: FileHandle, lines: AsyncIterable<string>): Promise<void> {
  let chunk = '';
  for await (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < CHUNK_LENGTH) continue;
    await draft.appendFile(chunk);
    chunk = '';
  }
  await draft.appendFile(chunk);
}
