/** Answers that end within what was sampled: how many tokens they come to, and sequences that end with them. */
import type { Model, Sequence } from '../engine/index.js';
import { beginning } from './answer-text.js';

type Vocabulary = Pick<Model, 'text' | 'tokenize'>;

/**
 * Makes a sequence that a stop text ended end with the text before it, for a judge that looks at sequences.
 *
 * @param tokens that it ends with, as the whole answer was sampled
 */
export type CutBack = (sequence: Sequence, tokens: readonly number[], text: string) => Promise<void>;

/** How many of an answer's tokens its text takes, the last in part perhaps; their own text begins with it. */
export function tokensOfText(model: Pick<Model, 'text'>, tokens: readonly number[], text: string): number {
  let [least, most] = [0, tokens.length];
  while (least < most) {
    const count = (least + most) >> 1;
    if (beginning(model.text(tokens.slice(0, count))).length >= text.length) most = count;
    else least = count + 1;
  }
  return least;
}

/** The first of these tokens, as many as the text begins with, and what is left of it behind them. */
async function cutTo(
  model: Vocabulary,
  tokens: readonly number[],
  text: string,
): Promise<{ readonly count: number; readonly rest: Int32Array }> {
  let count = tokensOfText(model, tokens, text);
  // The last token may hold more; characters that span tokens are whole only together.
  let kept = beginning(model.text(tokens.slice(0, count)));
  while (count > 0 && !text.startsWith(kept)) kept = beginning(model.text(tokens.slice(0, --count)));
  return { count, rest: await model.tokenize(text.slice(kept.length), { isContinued: true }) };
}

/** Tokens that read as this text, which theirs begins with. */
export async function tokensUpTo(model: Vocabulary, tokens: readonly number[], text: string): Promise<number[]> {
  const { count, rest } = await cutTo(model, tokens, text);
  return [...tokens.slice(0, count), ...rest];
}

/**
 * Makes a sequence that ends with these tokens end with the text instead, which theirs begins with. Something has to be
 * appended before it is decoded again.
 *
 * @throws EngineError ERR_FORK_UNSUPPORTED where the model's memory cannot be cut
 */
export async function cutBack(
  model: Vocabulary,
  sequence: Sequence,
  tokens: readonly number[],
  text: string,
): Promise<void> {
  const { count, rest } = await cutTo(model, tokens, text.trimEnd());
  await sequence.trim(sequence.tokenCount - (tokens.length - count));
  await sequence.append([rest]);
}

/** Tokens that the rest of one takes at most, which are made anew. */
export const REST_TOKENS = 32;
