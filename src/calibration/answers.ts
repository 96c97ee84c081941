/** Scores of many answers; what is no answer is named, and stops nothing. */
import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { throwIfAborted, UsageError } from '../errors.js';
import { linesOf } from '../lines.js';
import { describe, describePath } from '../options.js';
import { readRegular, whyUnread } from '../regular-file.js';
import { Turns } from '../turns.js';
import type { Scored } from './fit.js';
import { scoredOrUndecided, type Unread } from './pictures.js';

/** Fields that may hold the answer: of a batch's results, and of other people's files. */
const FIELDS = ['text', 'answer', 'response'] as const;
/** Fields that may hold the question. */
const QUESTIONS = ['prompt', 'question'] as const;

export interface AnswerText {
  /** File and line. */
  readonly name: string;
  readonly text: string;
  /** What was asked; null where the line does not say. */
  readonly question: string | null;
  /** Path of the picture that it was asked about; null without one. */
  readonly image: string | null;
}

/**
 * The answers of a file: of `.jsonl` and `.ndjson` the objects' `text`, `answer` or `response`, or strings; of any other
 * file its lines. An object may hold the question too (`prompt` or `question`), and `image`, a path from the file's folder.
 * Empty lines are passed over; what is no answer is named.
 *
 * @throws UsageError ERR_INVALID_OPTION for a file that cannot be read, or holds no answer
 */
export async function readAnswers(path: string, option: string): Promise<{ answers: AnswerText[]; unread: Unread[] }> {
  const turns = new Turns();
  let text: string;
  try {
    const bytes = await readRegular(path);
    await turns.give();
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    await turns.give();
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? 'it is no UTF-8'
        : whyUnread(cause);
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `${option}: expected a file of answers, but ${describePath(path)} cannot be read (${why}).`,
      { cause },
    );
  }
  const isJson = /\.(jsonl|ndjson|json)$/i.test(path);
  const answers: AnswerText[] = [];
  const unread: Unread[] = [];
  let number = 0;
  for (const line of linesOf(text)) {
    if (turns.isDue) await turns.give();
    number++;
    if (line.trim() === '') continue;
    const name = `${path}:${number}`;
    const found = isJson ? answerOf(line, path) : { text: line.trim(), question: null, image: null };
    if ('text' in found) answers.push({ name, ...found });
    else unread.push({ name, reason: found.reason });
  }
  if (answers.length > 0) return { answers, unread };
  const first = unread[0] === undefined ? '' : ` Its first line: ${unread[0].reason}`;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `${option}: expected answers, one a line, found none in ${describePath(path)}.${first}`,
  );
}

function answerOf(line: string, path: string): Omit<AnswerText, 'name'> | { readonly reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { reason: `expected one JSON object a line, received ${describe(line)}.` };
  }
  const fields =
    typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : { text: value };
  const of = (names: readonly string[]) => names.map((field) => fields[field]).find((said) => typeof said === 'string');
  const text = of(FIELDS);
  if (typeof text === 'string' && text.trim() !== '') {
    const [question = null, image] = [of(QUESTIONS), of(['image'])] as const;
    return { text, question, image: image === undefined ? null : resolve(dirname(path), image) };
  }
  return {
    reason: `expected an answer in ${FIELDS.join(', ')}, received ${text === undefined ? describe(value) : 'an empty one'}.`,
  };
}

export interface ScoreAnswersOptions {
  readonly score: (answer: AnswerText) => Promise<number>;
  readonly signal?: AbortSignal | undefined;
  /** Called after each answer. */
  readonly onAnswer?: () => void;
}

/** @throws AbortError; EvaluatorError */
export async function scoreAnswers(
  answers: readonly AnswerText[],
  { score, signal, onAnswer }: ScoreAnswersOptions,
): Promise<{ readonly scored: Scored[]; readonly unread: Unread[] }> {
  const [scored, unread]: [Scored[], Unread[]] = [[], []];
  for (const answer of answers) {
    throwIfAborted(signal);
    const digest = createHash('sha256').update(contentOf(answer)).digest('hex');
    const one = await scoredOrUndecided(answer.name, digest, () => score(answer));
    if ('score' in one) scored.push(one);
    else unread.push(one);
    onAnswer?.();
  }
  return { scored, unread };
}

/** The same answer to another question, or about another picture, is another one. */
function contentOf({ text, question, image }: AnswerText): string {
  return question === null && image === null ? text : JSON.stringify([question, image, text]);
}
