/** Rewards of many answers under the post-evaluation prompt. */
import { createHash } from 'node:crypto';
import { throwIfAborted, UsageError } from '../errors.js';
import { linesOf } from '../lines.js';
import { describe, describePath } from '../options.js';
import { readRegular, whyUnread } from '../regular-file.js';
import type { RewardModel } from '../reward/index.js';
import { Turns } from '../turns.js';
import type { Scored } from './fit.js';
import type { Unread } from './pictures.js';

/** Fields that may hold the answer: of a batch's results, and of other people's files. */
const FIELDS = ['text', 'answer', 'response'] as const;

export interface AnswerText {
  /** File and line. */
  readonly name: string;
  readonly text: string;
}

/**
 * The answers of a file: of `.jsonl` and `.ndjson` the objects' `text`, `answer` or `response`, or strings; of any other
 * file its lines. Empty lines are passed over; what is no answer is named.
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
    const found = isJson ? answerOf(line) : { text: line.trim() };
    if ('text' in found) answers.push({ name, text: found.text });
    else unread.push({ name, reason: found.reason });
  }
  if (answers.length > 0) return { answers, unread };
  const first = unread[0] === undefined ? '' : ` Its first line: ${unread[0].reason}`;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `${option}: expected answers, one a line, found none in ${describePath(path)}.${first}`,
  );
}

function answerOf(line: string): { readonly text: string } | { readonly reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { reason: `expected one JSON object a line, received ${describe(line)}.` };
  }
  const fields =
    typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : { text: value };
  const name = FIELDS.find((field) => typeof fields[field] === 'string');
  const text = name === undefined ? undefined : fields[name];
  if (typeof text === 'string' && text.trim() !== '') return { text };
  return {
    reason: `expected an answer in ${FIELDS.join(', ')}, received ${text === undefined ? describe(value) : 'an empty one'}.`,
  };
}

export interface ScoreAnswersOptions {
  readonly rewardModel: RewardModel;
  readonly prompt: string;
  readonly signal?: AbortSignal | undefined;
  /** Called after each answer. */
  readonly onAnswer?: () => void;
}

/** @throws AbortError; EvaluatorError */
export async function scoreAnswers(
  answers: readonly AnswerText[],
  { rewardModel, prompt, signal, onAnswer }: ScoreAnswersOptions,
): Promise<Scored[]> {
  const scored: Scored[] = [];
  for (const { name, text } of answers) {
    throwIfAborted(signal);
    const score = await rewardModel.score(
      [{ role: 'user', content: prompt }],
      text,
      signal === undefined ? {} : { signal },
    );
    scored.push({ name, score, digest: createHash('sha256').update(text).digest('hex') });
    onAnswer?.();
  }
  return scored;
}
