/** Hugging Face tokenizers as the evaluators use them. */
import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { ModelError } from '../errors.js';

interface AddedToken {
  readonly content: string;
  readonly special: boolean;
}

/** A tokenizer.json. */
export class TextTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #special: RegExp | undefined;

  /** @throws ModelError ERR_MODEL_INVALID when the file is no tokenizer.json */
  static async load(path: string): Promise<TextTokenizer> {
    const text = await readFile(path, 'utf8');
    try {
      const json = JSON.parse(text) as { added_tokens?: AddedToken[] };
      const special = (json.added_tokens ?? []).filter((token) => token.special).map((token) => token.content);
      return new TextTokenizer(new Tokenizer(json, {}), special);
    } catch (cause) {
      throw new ModelError(
        'ERR_MODEL_INVALID',
        `${path}: expected a Hugging Face tokenizer.json, received something else. Export the model again.`,
        { cause },
      );
    }
  }

  private constructor(tokenizer: Tokenizer, special: readonly string[]) {
    this.#tokenizer = tokenizer;
    const longestFirst = special.filter((token) => token.length > 0).sort((a, b) => b.length - a.length);
    if (longestFirst.length > 0)
      this.#special = new RegExp(
        longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'),
        'g',
      );
  }

  /** Ids with the begin and end tokens that the tokenizer itself adds. */
  encode(text: string): number[] {
    return this.#tokenizer.encode(text).ids;
  }

  /** Ids of a text that carries its own special tokens, as a rendered chat template does. */
  encodeRendered(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /** Ids and token types of two texts, with the separators that the tokenizer itself adds. */
  encodePair(first: string, second: string): { ids: number[]; types: number[] } {
    const { ids, token_type_ids } = this.#tokenizer.encode(first, { text_pair: second, return_token_type_ids: true });
    return { ids, types: token_type_ids };
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
}
