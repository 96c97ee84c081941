/** Reading a tokenizer.json: what the library would take without a look, and fail on in the middle of an answer. */
import { ModelError } from '../errors.js';
import { issueOf } from '../json.js';
import { readRegularText } from '../regular-file.js';
import { checkTokens } from './token-checks.js';
import { type TokenizerJson, tokenizerForm } from './tokenizer-form.js';
import type { NormalizerForm, WordsForm } from './words-form.js';

/** What is known of a tokenizer.json; the rest is the library's to read. */
export interface TokenizerFile {
  readonly json: TokenizerJson;
  /**
   * Characters of the longest token: no text of n characters has fewer than n / longest tokens. Infinity where that cannot
   * be said: a WordPiece or a unigram vocabulary takes a whole word for one unknown token, and some normalizers drop characters.
   */
  readonly longest: number;
  readonly vocabularySize: number;
}

/** @throws ModelError ERR_MODEL_INVALID that says what is wrong; ERR_MODEL_NOT_FOUND */
export async function readTokenizerFile(path: string): Promise<TokenizerFile> {
  const text = await readRegularText(path).catch((cause) => {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a tokenizer.json at ${path}, but it cannot be read. Export the model again.`,
      { cause },
    );
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notOne(path, 'text that is no JSON', cause);
  }
  const parsed = tokenizerForm.safeParse(value);
  if (!parsed.success) {
    throw notOne(path, `another form: ${issueOf(parsed.error)}`, parsed.error);
  }
  const wrong = checkTokens(parsed.data);
  if (wrong !== undefined) throw notOne(path, wrong);
  const { vocab } = parsed.data.model;
  const tokens = Array.isArray(vocab) ? vocab.map(([token]: readonly [string, number]) => token) : Object.keys(vocab);
  const ids = Array.isArray(vocab) ? [] : Object.values(vocab);
  const added = parsed.data.added_tokens;
  const largest = [...ids, ...added.map((token) => token.id)].reduce((most, one) => Math.max(most, one), -1);
  return {
    json: parsed.data,
    longest: keepsCharacters(parsed.data)
      ? [...tokens, ...added.map((token) => token.content)].reduce((most, one) => Math.max(most, one.length), 1)
      : Number.POSITIVE_INFINITY,
    vocabularySize: Math.max(largest + 1, tokens.length),
  };
}

/** Whether every character of a text is in some token: BPE over bytes, with nothing before it that shortens a text. */
function keepsCharacters({ model, normalizer, pre_tokenizer, added_tokens }: TokenizerJson): boolean {
  if (model.type !== 'BPE') return false;
  const hasBytes = model.byte_fallback === true || JSON.stringify(pre_tokenizer ?? null).includes('"ByteLevel"');
  const swallows = added_tokens.some(({ lstrip, rstrip }) => lstrip === true || rstrip === true);
  return hasBytes && !swallows && keepsLength(normalizer ?? null) && keepsText(pre_tokenizer ?? null);
}

function keepsText(form: WordsForm | null): boolean {
  if (form?.type === 'Sequence') return form.pretokenizers.every(keepsText);
  if (form?.type === 'Split' || form?.type === 'Punctuation') return form.behavior !== 'Removed';
  return form === null || !/^White|^Bert/.test(form.type);
}

/** NFC makes one character of several, whose bytes are about as many as the characters were. */
function keepsLength(form: NormalizerForm | null): boolean {
  if (form === null || form.type === 'NFC' || form.type === 'Prepend') return true;
  if (form.type === 'Sequence') return form.normalizers.every(keepsLength);
  return form.type === 'Replace' && 'String' in form.pattern && form.content.length >= form.pattern.String.length;
}

/** @param received what came in place of a tokenizer.json */
export function notOne(path: string, received: string, cause?: unknown): ModelError {
  return new ModelError(
    'ERR_MODEL_INVALID',
    `${path}: expected a Hugging Face tokenizer.json, received ${received}. Export the model again, or use one with another tokenizer.`,
    { cause },
  );
}
