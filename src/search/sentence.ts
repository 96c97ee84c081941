/**
 * Where a sentence ends, decided from what stands left of the place alone: the engine pauses a candidate at the token
 * that may end it, and a token that is not yet sampled cannot be asked. Where the left side leaves it open, the sentence
 * goes on: a candidate of two sentences costs nothing but grain, one of half a sentence is judged out of context.
 */

/** Characters that end a sentence wherever they stand. */
const ALWAYS = '!?\n。！？｡؟।۔';

/** What may follow the end and still belongs to it: quotes, brackets, emphasis. */
const CLOSERS = '"\'”’»)]}）】」』*_`';

/** Openers and the closers that a sentence waits for once it has begun inside them. */
const PAIRS: readonly (readonly [open: string, close: string])[] = [
  ['(', ')'],
  ['[', ']'],
  ['（', '）'],
  ['“', '”'],
  ['«', '»'],
  ['「', '」'],
  ['『', '』'],
];

/** Words that carry a full stop inside a sentence, in lower case. */
const ABBREVIATIONS = new Set(
  (
    'mr mrs ms mx dr prof rev hon gen col maj capt lt sgt sr jr st mt ft vs etc cf al approx appr dept est fig figs eq ' +
    'eqs ed eds vol vols pp sec ch inc ltd corp co bros no nos nr art ave blvd rd tel ext min max temp misc incl excl ' +
    'resp viz ca jan feb mar apr jun jul aug sep sept oct nov dec www bzw usw'
  ).split(' '),
);

/** Abbreviations that are words as well: alone in their sentence they end it ("No. I cannot help."). */
const ALSO_WORDS = new Set(['no', 'max', 'min', 'art', 'mar', 'sec']);

/** Every character at which {@link endsSentence} can begin to say yes. */
export const SENTENCE_END_CHARACTERS = `.${ALWAYS}")]）”»」』*`;

/**
 * Whether a sentence ends right behind `text`. Ends are ".", "!", "?", a newline and their counterparts in other scripts,
 * with closing quotes, brackets and emphasis behind them. A full stop is none:
 * - after an abbreviation of the list ("Dr.", "approx."), an initial or a run of letters with stops ("J.", "e.g.", "U.S.");
 * - after a numeral at the start of a line ("1.", "(2.", "- 3."), or after one to three digits ("3.5" may follow);
 * - inside a quotation, bracket or **emphasis** that `text` opened and did not close.
 *
 * Nothing is a sentence that holds neither letter nor digit, so "..." and a blank line go on.
 *
 * Known errors: "It weighs 5." and "at 9 a.m." and "vitamin C." run on to the next end; a quote or bracket that the model
 * never closes runs on to a newline or the limit; `"Stop." and left` is cut behind the quote; "a.com" and "photo.jpg" are
 * cut, and the dots of "..." parted, where the vocabulary gives the stop a token of its own; so is an end from a closing
 * quote that this sentence did not open.
 *
 * @param text the sentence so far, from its first character
 * @param before what was accepted before it; tells whether `text` begins at the start of a line
 */
export function endsSentence(text: string, before = ''): boolean {
  if (!/[\p{L}\p{N}]/u.test(text)) return false;
  const last = text.at(-1) ?? '';
  if (last === '\n') return true;
  const bare = text.slice(0, text.length - trailingCount(text, CLOSERS));
  const mark = bare.at(-1) ?? '';
  if (mark !== '.' && !ALWAYS.includes(mark)) return false;
  if (isInsidePair(text)) return false;
  return mark !== '.' || isFullStop(bare.slice(0, -1), before);
}

/** Whether a "." behind `text` is a full stop. */
function isFullStop(text: string, before: string): boolean {
  const line = (before + text).split('\n').at(-1) ?? '';
  if (/^\s*(?:[-*•#]+\s*)?\(?(?:\d{1,3}|x{0,2}(?:i{1,3}|i[vx]|vi{0,3}|x))$/iu.test(line)) return false;
  const digits = /(?<!\d)\d+$/u.exec(text)?.[0].length ?? 0;
  if (digits > 0) return digits > 3;
  if (/(?<![\p{L}\p{N}])\p{L}$/u.test(before + text)) return false;
  const word = /(?<!\p{L})\p{L}+$/u.exec(text)?.[0].toLowerCase() ?? '';
  if (!ABBREVIATIONS.has(word)) return true;
  return ALSO_WORDS.has(word) && !/[\p{L}\p{N}]/u.test(text.slice(0, -word.length));
}

/** Whether a quotation or bracket that began in this text is still open. */
function isInsidePair(text: string): boolean {
  for (const [open, close] of PAIRS) {
    let depth = 0;
    for (const character of text) {
      if (character === open) depth++;
      else if (character === close) depth = Math.max(0, depth - 1);
    }
    if (depth > 0) return true;
  }
  // These open and close alike; a straight quote behind a digit is an inch.
  return isOdd(text.split('**').length - 1) || isOdd(text.replace(/\d"/g, '').split('"').length - 1);
}

function isOdd(count: number): boolean {
  return count % 2 === 1;
}

function trailingCount(text: string, characters: string): number {
  let count = 0;
  while (count < text.length && characters.includes(text.at(-1 - count) ?? ' ')) count++;
  return count;
}

/** What {@link SentenceRule} asks of a language model's vocabulary; the engine's Model has it. */
interface Vocabulary {
  tokenize(text: string): Promise<Int32Array>;
  text(tokens: Int32Array): string;
  tokensContaining(characters: string): Int32Array;
}

/** How the search cuts an answer into sentences. */
export interface SentenceRule {
  /** The only tokens at which a sentence can end. */
  endTokens(vocabulary: Vocabulary): Promise<Int32Array>;
  /** Whether it does, asked when one of them was sampled. */
  ends(text: string, before: string): boolean;
  /** Tokens of the first sentence, and of each later one, at most. */
  readonly firstTokenLimit: number;
  readonly tokenLimit: number;
  /** Whether the sentence that reaches the answer's limit goes on to its own end, where there is room. */
  readonly finishesLast: boolean;
}

/** Sentences by their text, whatever the vocabulary. */
export function sentencesByText(tokenLimit: number): SentenceRule {
  return {
    endTokens: async (vocabulary) => vocabulary.tokensContaining(SENTENCE_END_CHARACTERS),
    ends: endsSentence,
    firstTokenLimit: tokenLimit,
    tokenLimit,
    finishesLast: false,
  };
}

/**
 * The reference code's rule: a sentence ends at the vocabulary's token for "." (29889 of Llama-2's) and nowhere else, so
 * that "1.", decimals and "e.g." end one and "!", "?", a newline or a token such as ".\n" do not. Its first sentence is
 * one token shorter, and its last one is not cut at the answer's limit.
 */
export function sentencesByToken(tokenLimit: number): SentenceRule {
  return {
    endTokens: fullStopToken,
    ends: () => true,
    firstTokenLimit: Math.max(1, tokenLimit - 1),
    tokenLimit,
    finishesLast: true,
  };
}

/** The token that a "." behind a word becomes. Where it melts into the word, every token that reads ".". */
async function fullStopToken(vocabulary: Vocabulary): Promise<Int32Array> {
  const behindWord = (await vocabulary.tokenize('word.')).slice(-1);
  if (vocabulary.text(behindWord) === '.') return behindWord;
  return vocabulary.tokensContaining('.').filter((token) => vocabulary.text(Int32Array.of(token)) === '.');
}
