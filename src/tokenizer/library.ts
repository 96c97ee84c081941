/** What is used of @huggingface/tokenizers beside its Tokenizer: its declarations lose these on their way. */
import * as library from '@huggingface/tokenizers';
import { expectFewSteps } from './pattern-steps.js';

interface Exports {
  /** Patterns are written for Oniguruma; it has them as JavaScript's. */
  readonly SplitPreTokenizer: new (
    form: object,
  ) => { readonly pattern: RegExp };
  readonly ByteLevelPreTokenizer: new (form: object) => { pre_tokenize_text(text: string): string[] };
  readonly PrecompiledNormalizer: new (form: object) => { normalize(text: string): string };
}

const { SplitPreTokenizer, ...exported } = library as unknown as Exports;

export const { ByteLevelPreTokenizer, PrecompiledNormalizer } = exported;

export type Pattern = { readonly String: string } | { readonly Regex: string };

/** Global, by code points. @throws SyntaxError for a pattern that is none, that is not read here, or that might never end */
export function compiled(pattern: Pattern): RegExp {
  const found = new SplitPreTokenizer({ type: 'Split', pattern, behavior: 'Isolated', invert: true }).pattern;
  if ('Regex' in pattern) expectFewSteps(found.source);
  return found;
}
