/**
 * How each answer of a decision is said. In its own words, where each begins with tokens of its own in the model's
 * vocabulary: that is what a model is likeliest to say, and no answer is preferred for its place. Where two begin alike (10
 * and 1 of a vocabulary of single digits, a minus, "red car" and "red bus"), or a blank of its own comes first, the answers
 * are lettered: letters have tokens of their own everywhere.
 */
import { tokenInTwo, type WordTokens } from '../decision/index.js';
import type { Model } from '../engine/index.js';
import { ModelError } from '../errors.js';
import type { DecideQuestion } from './decide-request.js';

/** A question as it is asked, and what a reply begins with. */
export interface WordedQuestion {
  /** Behind the conversation. */
  readonly text: string;
  /** Of each answer, in their order. */
  readonly tokens: readonly Int32Array[];
}

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

/** The answers of a question, in the order in which they are told. */
export function answersOf(question: DecideQuestion): readonly string[] {
  if (question.type === 'predicate') return ['yes', 'no'];
  if (question.type === 'choice') return question.choices;
  const { from, to } = question;
  return Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
}

/**
 * @param isBehindBlank whether a reply begins with a blank, as behind "ASSISTANT:"
 * @throws ModelError ERR_MODEL_MISMATCH for a vocabulary that has no tokens for the answers; AbortError
 */
export async function worded(
  questions: readonly DecideQuestion[],
  {
    model,
    words,
    isBehindBlank,
    signal,
  }: {
    readonly model: Pick<Model, 'name'>;
    readonly words: WordTokens;
    readonly isBehindBlank: boolean;
    readonly signal: AbortSignal;
  },
): Promise<WordedQuestion[]> {
  const answers = questions.map(answersOf);
  const said = await words.of(
    answers.flat().map((answer) => [answer]),
    signal,
  );
  const found: WordedQuestion[] = [];
  let at = 0;
  for (const [index, question] of questions.entries()) {
    const own = answers[index] ?? [];
    const tokens = said.slice(at, at + own.length);
    at += own.length;
    const isApart = isBehindBlank && (await anyApart(own, words, signal));
    if (!isApart && areTold(tokens)) found.push({ text: inWords(question, own), tokens });
    else found.push(await lettered(question, own, { model, words, signal }));
  }
  return found;
}

async function lettered(
  question: DecideQuestion,
  answers: readonly string[],
  {
    model,
    words,
    signal,
  }: {
    readonly model: Pick<Model, 'name'>;
    readonly words: WordTokens;
    readonly signal: AbortSignal;
  },
): Promise<WordedQuestion> {
  const letters = LETTERS.slice(0, answers.length);
  const tokens = await words.of(
    letters.map((letter) => [letter]),
    signal,
  );
  if (!areTold(tokens)) {
    throw new ModelError(
      'ERR_MODEL_MISMATCH',
      `decide: expected a model that can say ${answers.join(', ')}, or a letter for each, in a token each, received ${model.name}, whose vocabulary cannot. Take another model.`,
    );
  }
  const list = answers.map((answer, at) => `${letters[at]}. ${answer}`);
  return { text: [question.question, ...list, 'Answer with the letter alone.'].join('\n'), tokens };
}

function inWords(question: DecideQuestion, answers: readonly string[]): string {
  const asked = {
    predicate: 'Answer yes or no.',
    choice: `Answer with one of these alone: ${answers.join(', ')}.`,
    score: `Answer with a whole number from ${answers[0]} to ${answers.at(-1)} alone.`,
  };
  return [question.question, asked[question.type]].join('\n');
}

/** Whether a reply's first token tells which it is. */
function areTold(tokens: readonly Int32Array[]): boolean {
  return tokens.every(({ length }) => length > 0) && tokenInTwo(tokens) === null;
}

async function anyApart(answers: readonly string[], words: WordTokens, signal: AbortSignal): Promise<boolean> {
  for (const answer of answers) if (await words.isApart(answer, signal)) return true;
  return false;
}
