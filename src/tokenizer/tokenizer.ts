/** Hugging Face tokenizers as the evaluators use them. Texts of any length: in pieces, and the event loop gets its turns. */
import { Tokenizer } from '@huggingface/tokenizers';
import { EvaluatorError, throwIfAborted } from '../errors.js';
import { Turns } from '../turns.js';
import { changeOf } from './normal.js';
import { anyOf, KeptSections } from './sections.js';
import { textPieces } from './text-pieces.js';
import { anyIdOf } from './token-checks.js';
import { notOne, readTokenizerFile, type TokenizerFile } from './tokenizer-file.js';
import { type AddedToken, isNormalized } from './tokenizer-form.js';
import { wordsOf } from './words.js';

export interface EncodeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Tokens after which the rest of the text is not looked at. @default none */
  readonly limit?: number;
}

/** Two texts with their separators. */
export interface EncodedPair {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  /** Tokens before the second text. */
  readonly headCount: number;
  /** Tokens behind it. */
  readonly tailCount: number;
}

/** What stands around a text, or around two of them: ids and their types, where the texts themselves are one each. */
interface Frame {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  /** Places of the texts. */
  readonly first: number;
  readonly second: number;
}

/** A tokenizer.json. */
export class TextTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #path: string;
  readonly #special: RegExp | undefined;
  /** Every token of its own, special or not: never cut. */
  readonly #whole: RegExp | undefined;
  /** Null where a piece can only be tokenised whole. */
  readonly #sections: KeptSections | null;
  readonly #single: Frame;
  readonly #pair: Frame;
  /** Over all texts, however short each. */
  readonly #turns = new Turns();

  /** Characters of the longest token: a text of n characters has at least n / longest tokens. Infinity where nothing can be said. */
  readonly longest: number;

  /** One more than the largest id. */
  readonly vocabularySize: number;

  /** @throws ModelError ERR_MODEL_INVALID when the file is no tokenizer.json that can be read, ERR_MODEL_NOT_FOUND */
  static async load(path: string): Promise<TextTokenizer> {
    const file = await readTokenizerFile(path);
    try {
      return new TextTokenizer(path, file);
    } catch (cause) {
      throw notOne(path, `one that cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
    }
  }

  private constructor(path: string, { json, longest, vocabularySize }: TokenizerFile) {
    this.#path = path;
    this.#tokenizer = tokenizerOf(json);
    this.vocabularySize = vocabularySize;
    this.longest = longest;
    this.#special = anyOf(json.added_tokens.filter((token) => token.special).map((token) => token.content));
    this.#whole = anyOf(json.added_tokens.map((token) => token.content));
    this.#sections = KeptSections.of(json, (text) => this.#encodeWhole(text));
    this.#single = this.#frame(json, false);
    this.#pair = this.#frame(json, true);
  }

  /** Lets go of the texts that it kept. */
  forget(): void {
    this.#sections?.clear();
  }

  /** Ids with the begin and end tokens that the tokenizer itself adds. */
  async encode(text: string, options: EncodeOptions = {}): Promise<number[]> {
    const { ids, first } = this.#single;
    return [...ids.slice(0, first), ...(await this.encodeRendered(text, options)), ...ids.slice(first + 1)];
  }

  /**
   * Ids of a text that carries its own special tokens, as a rendered chat template does.
   *
   * @throws AbortError; EvaluatorError ERR_EVALUATOR for a text that the tokenizer fails on
   */
  async encodeRendered(
    text: string,
    { signal, limit = Number.POSITIVE_INFINITY }: EncodeOptions = {},
  ): Promise<number[]> {
    const ids: number[] = [];
    for (const piece of textPieces(text, this.#whole)) {
      if (this.#turns.isDue) {
        await this.#turns.give();
        throwIfAborted(signal);
      }
      ids.push(...(this.#sections?.ids(piece) ?? this.#encodeWhole(piece)));
      if (ids.length >= limit) break;
    }
    return ids;
  }

  /** Ids and token types of two texts, with the separators that the tokenizer itself adds. */
  async encodePair(first: string, second: string, options: EncodeOptions = {}): Promise<EncodedPair> {
    const { ids, types, first: at, second: next } = this.#pair;
    const one = await this.encodeRendered(first, options);
    const other = await this.encodeRendered(second, options);
    const around = <Value>(frame: readonly Value[], a: readonly Value[], b: readonly Value[]) =>
      frame.flatMap((value, place) => (place === at ? a : place === next ? b : [value]));
    const headCount = at < next ? next - 1 + one.length : next;
    return {
      ids: around(ids, one, other),
      types: around(
        types,
        one.map(() => types[at] ?? 0),
        other.map(() => types[next] ?? 0),
      ),
      headCount,
      tailCount: ids.length - 2 + one.length - headCount,
    };
  }

  /**
   * The text with a space inside whatever would be read as a special token ("<|eot_id|>" becomes "< |eot_id|>"), so that
   * neither a question nor an answer can end its own turn or forge another.
   */
  disarm(text: string): string {
    return this.#special === undefined
      ? text
      : text.replace(this.#special, (token) => `${token.slice(0, 1)} ${token.slice(1)}`);
  }

  #encodeWhole(text: string): readonly number[] {
    let ids: readonly number[];
    try {
      ids = this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
    } catch (cause) {
      throw this.#broken(cause instanceof Error ? cause.message : String(cause), cause);
    }
    const wrong = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= this.vocabularySize);
    if (wrong < 0) return ids;
    throw this.#broken(`${String(ids[wrong])} for a token of the text`);
  }

  #broken(received: string, cause?: unknown): EvaluatorError {
    return new EvaluatorError(
      'ERR_EVALUATOR',
      `${this.#path}: expected token ids below ${this.vocabularySize}, received ${received}. The tokenizer is damaged: export the model again.`,
      { cause },
    );
  }

  /** What the post-processor puts around texts, learnt from one token each. */
  #frame(json: TokenizerFile['json'], isPair: boolean): Frame {
    const [one, other] = ['\u0000A', '\u0000B'];
    const found = this.#tokenizer.post_processor?.post_process([one], isPair ? [other] : null, true);
    const texts = isPair ? [one, other] : [one];
    const twice = texts.find((text) => found?.tokens.indexOf(text) !== found?.tokens.lastIndexOf(text));
    if (twice !== undefined) throw new TypeError(`its post-processor puts the text ${twice.slice(1)} in twice`);
    const tokens: readonly string[] = texts.every((text) => found?.tokens.includes(text))
      ? (found?.tokens ?? texts)
      : texts;
    const first = tokens.indexOf(one);
    const second = isPair ? tokens.indexOf(other) : tokens.length;
    const idOf = anyIdOf(json);
    // RoBERTa has one type for both texts; the library gives it BERT's.
    const isOneType = JSON.stringify(json.post_processor ?? null).includes('"RobertaProcessing"');
    const types = found?.token_type_ids ?? tokens.map((token) => (token === other ? 1 : 0));
    return {
      ids: tokens.map((token) => (texts.includes(token) ? -1 : expectId(token, idOf(token)))),
      types: tokens.map((_, at) => (isOneType ? 0 : (types[at] ?? 0))),
      first,
      second,
    };
  }
}

/** @throws what becomes ERR_MODEL_INVALID */
function expectId(token: string, id: number | undefined): number {
  if (id === undefined) throw new TypeError(`its post-processor adds ${JSON.stringify(token)}, which is no token`);
  return id;
}

/**
 * No token is ever decoded; normal.ts and words.ts stand in for what the library does otherwise. It is given no pattern: it
 * would run each as it stands, over its own tokens, before anybody has looked at it.
 *
 * @throws SyntaxError for a pattern that is none, that is not read here, or that might never end
 */
function tokenizerOf({ model, normalizer, pre_tokenizer: words, ...json }: TokenizerFile['json']): Tokenizer {
  const change = normalizer == null ? null : changeOf(normalizer);
  const parting = words == null ? null : wordsOf(words);
  const { added_tokens: added } = json;
  const tokenizer = new Tokenizer(
    {
      ...json,
      added_tokens: change === null ? added : added.map((token) => changedToken(token, change)),
      normalizer: change === null ? null : NO_CHANGE,
      pre_tokenizer: null,
      decoder: null,
      post_processor: json.post_processor ?? null,
      // A word is a token or none: in WordPiece's terms, no token goes on inside a word.
      model: model.type === 'WordLevel' ? { ...model, ...ONE_TOKEN_A_WORD } : model,
    },
    {},
  );
  for (const { content, id } of added) tokenizer.model?.tokens_to_ids.set(content, id);
  if (change !== null) tokenizer.normalizer = change;
  if (parting !== null) tokenizer.pre_tokenizer = parting;
  return tokenizer;
}

/** As it stands in a text that the normalizer has changed, where it is looked for there. */
function changedToken(token: AddedToken, change: (text: string) => string): AddedToken {
  return isNormalized(token) ? { ...token, content: change(token.content) } : token;
}

/** The library looks for tokens in changed texts only where it has some normalizer. */
const NO_CHANGE = { type: 'Sequence', normalizers: [] };

const ONE_TOKEN_A_WORD = {
  type: 'WordPiece',
  continuing_subword_prefix: '\u0000\uFFFF\u0000',
  max_input_chars_per_word: Number.POSITIVE_INFINITY,
};
