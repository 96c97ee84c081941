/** The tokens by which a model's vocabulary says a verdict: every spelling, with and without a blank before it. */
import type { Model } from '../engine/index.js';
import { ModelError } from '../errors.js';
import { Turns } from '../turns.js';
import type { DecisionQuestion } from './form.js';

/** What a model's reply can begin with, by what it means. No token is in both. */
export interface VerdictTokens {
  readonly safe: Int32Array;
  readonly unsafe: Int32Array;
}

type Words = DecisionQuestion['verdicts'];
type Vocabulary = Pick<Model, 'name' | 'facts' | 'tokenize' | 'tokenBytes' | 'text'>;

/** Blanks before a word take some bytes; longer tokens are none of its spellings. */
const BLANK_BYTES = 4;

/**
 * A token that says a whole word, in upper or lower case, blanks aside. For a word that the vocabulary has to put together,
 * the token that it begins with.
 *
 * @throws ModelError ERR_MODEL_MISMATCH where a verdict has no token, or one token could begin both
 */
export async function verdictTokens(model: Vocabulary, verdicts: Words, signal?: AbortSignal): Promise<VerdictTokens> {
  const whole = await wholeWords(model, [...verdicts.safe, ...verdicts.unsafe], signal);
  const of = async (words: readonly string[]) => {
    const found = new Set<number>();
    for (const word of words) {
      for (const token of whole.get(folded(word)) ?? []) found.add(token);
      for (const token of await openings(model, word, signal)) found.add(token);
    }
    return found;
  };
  const [safe, unsafe] = [await of(verdicts.safe), await of(verdicts.unsafe)];
  const both = [...safe].find((token) => unsafe.has(token));
  if (both !== undefined) throw unfit(model, `"${model.text([both])}" begins both verdicts in its vocabulary`);
  for (const [words, tokens] of [
    [verdicts.safe, safe],
    [verdicts.unsafe, unsafe],
  ] as const)
    if (tokens.size === 0) throw unfit(model, `its vocabulary has no token for ${words.join(' or ')}`);
  return { safe: Int32Array.from(safe).sort(), unsafe: Int32Array.from(unsafe).sort() };
}

const folded = (word: string) => word.trim().toLowerCase();

/** Tokens by the word that they say whole. */
async function wholeWords(
  model: Vocabulary,
  words: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>(words.map((word) => [folded(word), []]));
  const longest = BLANK_BYTES + Math.max(...words.map((word) => Buffer.byteLength(word)));
  const turns = new Turns(signal);
  for (let token = 0; token < model.facts.vocabularySize; token++) {
    if (token % 1024 === 0 && turns.isDue) await turns.give();
    const bytes = model.tokenBytes(token);
    if (bytes.length > 0 && bytes.length <= longest) found.get(folded(model.text([token])))?.push(token);
  }
  return found;
}

/** The first tokens of a word as it is written, alone and behind a blank, where it takes several. */
async function openings(model: Vocabulary, word: string, signal: AbortSignal | undefined): Promise<number[]> {
  const opening: number[] = [];
  for (const written of [word, ` ${word}`]) {
    const tokens = await model.tokenize(written, { isContinued: true, signal });
    const [first] = tokens;
    if (first === undefined || tokens.length < 2) continue;
    // A blank that stands alone, or a byte of one, could begin anything.
    const begun = folded(model.text([first]));
    if (begun !== '' && folded(word).startsWith(begun)) opening.push(first);
  }
  return opening;
}

function unfit({ name }: Vocabulary, what: string): ModelError {
  return new ModelError(
    'ERR_MODEL_MISMATCH',
    `decision: expected a model that can say the verdicts in a token each, received ${name}: ${what}. Take another form, or another model.`,
  );
}
