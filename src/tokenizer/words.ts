/**
 * A text parted into words before the model of tokens sees it, by every way of a tokenizer.json that is read here, each as
 * Hugging Face's own library (in Rust) parts. @huggingface/tokenizers takes all ways of splitting for one of two, and words
 * and digits for ASCII's; it compiles the patterns, and puts bytes for characters.
 */
import { ByteLevelPreTokenizer, compiled, type Pattern } from './library.js';
import { SHOWN_LENGTH } from './pattern-steps.js';
import { expectNotGrown, textPieces } from './text-pieces.js';
import type { SplitBehavior, WordsForm } from './words-form.js';

type Part = (text: string, isFirst: boolean) => string[];

/**
 * As the library wants what parts words. What it gives throws a RangeError for a text that grows beyond all measure.
 *
 * @throws SyntaxError for a pattern that is none, that is not read here, or that might never end
 */
export function wordsOf(form: WordsForm): (text: string, options: { readonly section_index: number }) => string[] {
  const part = partOf(form);
  return (text, { section_index: at }) => part(text, at === 0);
}

const PUNCTUATION = '[\\p{P}\\x21-\\x2F\\x3A-\\x40\\x5B-\\x60\\x7B-\\x7E]';

function partOf(form: WordsForm): Part {
  switch (form.type) {
    case 'Sequence':
      return inTurn(form.pretokenizers.map(partOf));
    case 'Split':
      return split(form.pattern, form.behavior, form.invert);
    case 'Whitespace':
      return split({ Regex: '\\w+|[^\\w\\s]+' }, 'Removed', true);
    case 'WhitespaceSplit':
      return split({ Regex: '\\s' }, 'Removed');
    case 'BertPreTokenizer':
      return inTurn([split({ Regex: '\\s' }, 'Removed'), split({ Regex: PUNCTUATION }, 'Isolated')]);
    case 'Punctuation':
      return split({ Regex: PUNCTUATION }, form.behavior);
    case 'Digits':
      return split({ Regex: '\\p{N}' }, form.individual_digits ? 'Isolated' : 'Contiguous');
    case 'Metaspace':
      return metaspace(form);
    case 'ByteLevel': {
      const bytes = new ByteLevelPreTokenizer(form);
      return (text) => bytes.pre_tokenize_text(text);
    }
  }
}

function inTurn(parts: readonly Part[]): Part {
  return (text, isFirst) => {
    let words = [text];
    for (const part of parts) {
      words = words.flatMap((word, at) => part(word, isFirst && at === 0));
      expectNotGrown(words.reduce((sum, word) => sum + word.length, 0));
    }
    return words;
  };
}

function metaspace({
  replacement,
  prepend_scheme: scheme,
  split: isSplit,
}: Extract<WordsForm, { type: 'Metaspace' }>): Part {
  const words = split({ String: replacement }, 'MergedWithNext');
  return (text, isFirst) => {
    const marked = text.replaceAll(' ', () => replacement);
    const isPrefixed = scheme === 'always' || (scheme === 'first' && isFirst);
    const whole = isPrefixed && !marked.startsWith(replacement) ? replacement + marked : marked;
    return isSplit ? words(whole, isFirst) : [whole];
  };
}

/** A stretch of a text, and whether the pattern matches it. */
interface Stretch {
  readonly text: string;
  readonly isMatch: boolean;
}

/** @param isInverted what the pattern matches counts as what lies between, and the other way round */
function split(pattern: Pattern, behavior: SplitBehavior, isInverted = false): Part {
  const parting = compiled(pattern);
  const join = JOINED[behavior];
  return (text) => join(stretches(text, parting, isInverted)).filter((word) => word !== '');
}

function stretches(text: string, pattern: RegExp, isInverted: boolean): Stretch[] {
  return [...textPieces(text, undefined, SHOWN_LENGTH)].flatMap((piece) =>
    stretchesOfPiece(piece, pattern, isInverted),
  );
}

function stretchesOfPiece(text: string, pattern: RegExp, isInverted: boolean): Stretch[] {
  const found: Stretch[] = [];
  let start = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (index > start) found.push({ text: text.slice(start, index), isMatch: isInverted });
    found.push({ text: match, isMatch: !isInverted });
    start = index + match.length;
  }
  if (start < text.length) found.push({ text: text.slice(start), isMatch: isInverted });
  return found;
}

const textsOf = (all: readonly Stretch[]) => all.map(({ text }) => text);

const JOINED: Readonly<Record<SplitBehavior, (all: readonly Stretch[]) => string[]>> = {
  Isolated: textsOf,
  Removed: (all) => textsOf(all.filter(({ isMatch }) => !isMatch)),
  Contiguous: (all) => merged(all, (one, next) => one.isMatch === next.isMatch),
  MergedWithPrevious: (all) => merged(all, (one, next) => next.isMatch && !one.isMatch),
  MergedWithNext: (all) => merged(all, (one, next) => one.isMatch && !next.isMatch),
};

/** Neighbours as one word where `belong` says so of them. */
function merged(all: readonly Stretch[], belong: (one: Stretch, next: Stretch) => boolean): string[] {
  const words: string[] = [];
  for (const [at, next] of all.entries()) {
    const one = all[at - 1];
    if (one !== undefined && belong(one, next)) words.push((words.pop() ?? '') + next.text);
    else words.push(next.text);
  }
  return words;
}
