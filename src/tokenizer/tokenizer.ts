/** Hugging Face tokenizers as the evaluators use them. Texts of any length: in pieces, and the event loop gets its turns. */
import { Tokenizer } from '@huggingface/tokenizers';
import { EvaluatorError, throwIfAborted } from '../errors.js';
import { Turns } from '../turns.js';
import { anyOf, KeptSections } from './sections.js';
import { textPieces } from './text-pieces.js';
import { notOne, readTokenizerFile, type TokenizerFile } from './tokenizer-file.js';

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
  readonly #vocabularySize: number;
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
    this.#tokenizer = new Tokenizer(json, {});
    this.#vocabularySize = vocabularySize;
    this.longest = longest;
    this.#special = anyOf(json.added_tokens.filter((token) => token.special).map((token) => token.content));
    this.#whole = anyOf(json.added_tokens.map((token) => token.content));
    this.#sections = KeptSections.of(json, (text) => this.#encodeWhole(text));
    this.#single = this.#frame(false);
    this.#pair = this.#frame(true);
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
    const around = <Value>(frame: readonly Value[], a: readonly Value[], b: readonly Value[]) => [
      ...frame.slice(0, at),
      ...a,
      ...frame.slice(at + 1, next),
      ...b,
      ...frame.slice(next + 1),
    ];
    return {
      ids: around(ids, one, other),
      types: around(
        types,
        one.map(() => types[at] ?? 0),
        other.map(() => types[next] ?? 0),
      ),
      headCount: next - 1 + one.length,
      tailCount: ids.length - next - 1,
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
    const wrong = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= this.#vocabularySize);
    if (wrong < 0) return ids;
    throw this.#broken(`${String(ids[wrong])} for a token of the text`);
  }

  #broken(received: string, cause?: unknown): EvaluatorError {
    return new EvaluatorError(
      'ERR_EVALUATOR',
      `${this.#path}: expected token ids below ${this.#vocabularySize}, received ${received}. The tokenizer is damaged: export the model again.`,
      { cause },
    );
  }

  /** What the post-processor puts around texts, learnt from one token each. */
  #frame(isPair: boolean): Frame {
    const [one, other] = ['\u0000A', '\u0000B'];
    const found = this.#tokenizer.post_processor?.post_process([one], isPair ? [other] : null, true);
    const texts = isPair ? [one, other] : [one];
    const tokens: readonly string[] = texts.every((text) => found?.tokens.includes(text))
      ? (found?.tokens ?? texts)
      : texts;
    const first = tokens.indexOf(one);
    const second = isPair ? tokens.indexOf(other) : tokens.length;
    return {
      ids: tokens.map((token) => (texts.includes(token) ? -1 : this.#idOf(token))),
      types: tokens.map((_, at) => found?.token_type_ids?.[at] ?? 0),
      first,
      second,
    };
  }

  /** @throws what becomes ERR_MODEL_INVALID */
  #idOf(token: string): number {
    const id = this.#tokenizer.token_to_id(token);
    if (id === undefined) throw new TypeError(`its post-processor adds ${JSON.stringify(token)}, which is no token`);
    return id;
  }
}
