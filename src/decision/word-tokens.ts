/** The tokens that a reply of certain words can begin with: every spelling, with and without a blank before it. */
import type { Model } from '../engine/index.js';
import { Turns } from '../turns.js';

type Vocabulary = Pick<Model, 'facts' | 'tokenize' | 'tokenBytes' | 'text'>;

/** Blanks before a word take some bytes; longer tokens are none of its spellings. */
const BLANK_BYTES = 4;

/** Words that are remembered, the ones looked for last. */
const MOST_KNOWN = 1024;

export class WordTokens {
  readonly #model: Vocabulary;
  readonly #known = new Map<string, readonly number[]>();

  constructor(model: Vocabulary) {
    this.#model = model;
  }

  /**
   * Of each answer, which any of its words says: the tokens that say a whole word, in upper or lower case, blanks aside; for
   * a word that the vocabulary has to put together, the token that it begins with. Ascending; none where it has none.
   *
   * @throws AbortError
   */
  async of(answers: readonly (readonly string[])[], signal?: AbortSignal): Promise<Int32Array[]> {
    const missing = [...new Set(answers.flat())].filter((word) => !this.#known.has(word));
    const found = new Map(missing.length === 0 ? [] : await this.#look(missing, signal));
    for (const [word, tokens] of found) this.#known.set(word, tokens);
    const tokens = answers.map((words) =>
      Int32Array.from(new Set(words.flatMap((word) => found.get(word) ?? this.#known.get(word) ?? []))).sort(),
    );
    for (const word of this.#known.keys()) if (this.#known.size > MOST_KNOWN) this.#known.delete(word);
    return tokens;
  }

  /** Whether a word behind a blank is said by a blank alone and then the word: then the reply does not begin with it. */
  async isApart(word: string, signal?: AbortSignal): Promise<boolean> {
    const [first, ...others] = await this.#model.tokenize(` ${word}`, { isContinued: true, signal });
    return first !== undefined && others.length > 0 && folded(this.#model.text([first])) === '';
  }

  async #look(words: readonly string[], signal: AbortSignal | undefined): Promise<[string, readonly number[]][]> {
    const whole = await wholeWords(this.#model, words, signal);
    const found: [string, readonly number[]][] = [];
    for (const word of words)
      found.push([word, [...(whole.get(folded(word)) ?? []), ...(await openings(this.#model, word, signal))]]);
    return found;
  }
}

/** A token that begins two of the answers; null where there is none. */
export function tokenInTwo(answers: readonly Int32Array[]): number | null {
  const seen = new Set<number>();
  for (const tokens of answers) {
    for (const token of tokens) if (seen.has(token)) return token;
    for (const token of tokens) seen.add(token);
  }
  return null;
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
