/** A conversation as the token ids that a reward model reads. */
import { ModelError, UsageError } from '../errors.js';
import { JinjaTemplate } from '../jinja/index.js';
import type { RewardManifest } from '../manifest/index.js';
import type { TextTokenizer } from '../tokenizer/index.js';
import type { TextTurn } from '../types/turn.js';

/** A prompt without its answer. */
export interface PromptPrefix {
  /** The rendered turns up to the place of the answer. */
  readonly text: string;
  readonly ids: readonly number[];
  /** Tokens that end an answer. */
  readonly endOfTurnCount: number;
}

/** Renders a causal model's chat template. Whole conversations are tokenised: the token at a seam depends on both sides. */
export class RewardPrompt {
  readonly #template: JinjaTemplate;
  readonly #tokenizer: TextTokenizer;
  readonly #maxTokens: number;
  readonly #name: string;
  readonly #parsesThoughts: boolean;
  readonly #endOfTurn: string;

  /** @throws ModelError ERR_MODEL_INVALID when the template does not parse, or does not end an answer with its end of turn */
  constructor(manifest: RewardManifest, tokenizer: TextTokenizer) {
    if (manifest.prompt.form !== 'chat-template')
      throw new ModelError(
        'ERR_MODEL_INVALID',
        `${manifest.name}: expected a chat template, received the form '${manifest.prompt.form}'.`,
      );
    const { template, endOfTurn } = manifest.prompt;
    try {
      this.#template = new JinjaTemplate(template);
    } catch (cause) {
      throw new ModelError(
        'ERR_MODEL_INVALID',
        `${manifest.name}: expected a Jinja chat template, received one that does not parse: ${String(cause)}. Correct it in the manifest.`,
        { cause },
      );
    }
    this.#tokenizer = tokenizer;
    this.#name = manifest.name;
    this.#parsesThoughts = template.includes('</think>');
    this.#maxTokens = manifest.maxTokens;
    this.#endOfTurn = endOfTurn;
    const rendered = this.#render([{ role: 'user', content: 'a' }], 'b');
    if (!rendered.endsWith(endOfTurn)) {
      throw new ModelError(
        'ERR_MODEL_INVALID',
        `${manifest.name}: expected the template to end an answer with ${JSON.stringify(endOfTurn)}, received ${JSON.stringify(rendered.slice(-40))}. Remove a generation prompt from the template.`,
      );
    }
  }

  /**
   * What every answer to this prompt begins with.
   *
   * @throws UsageError ERR_PROMPT_TOO_LONG when no room is left for an answer; AbortError
   */
  async prefix(prompt: readonly TextTurn[], signal?: AbortSignal): Promise<PromptPrefix> {
    const maxTokens = this.#maxTokens;
    const least = prompt.reduce((sum, { content }) => sum + content.length, 0) / this.#tokenizer.longest;
    if (least >= maxTokens) throw promptTooLong(maxTokens, Math.floor(least));
    const one = this.#render(prompt, 'a');
    const other = this.#render(prompt, 'b');
    let length = 0;
    while (length < one.length && one[length] === other[length]) length++;
    const text = one.slice(0, length);
    const ids = await this.#tokenizer.encodeRendered(text, { signal, limit: maxTokens });
    const endOfTurn = await this.#tokenizer.encodeRendered(this.#endOfTurn);
    if (ids.length + endOfTurn.length >= maxTokens) throw promptTooLong(maxTokens, ids.length);
    return { text, ids, endOfTurnCount: endOfTurn.length };
  }

  /** The whole conversation with this answer, end of turn included. */
  async sequence(prompt: readonly TextTurn[], answer: string, signal?: AbortSignal): Promise<number[]> {
    return await this.#tokenizer.encodeRendered(this.#render(prompt, answer), { signal });
  }

  #render(prompt: readonly TextTurn[], answer: string): string {
    const turns = [...prompt, { role: 'assistant', content: answer }];
    const messages = turns.map(({ role, content }) => ({ role, content: this.#disarm(content) }));
    try {
      return this.#template.render({ messages, add_generation_prompt: false, bos_token: '', eos_token: '' });
    } catch (cause) {
      const roles = turns.map(({ role }) => role).join(', ');
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        `${this.#name}: expected turns that its chat template takes, received ${roles}: ${cause instanceof Error ? cause.message : String(cause)}. ` +
          'Put the text of a system turn into the user turn, and let user and assistant alternate.',
        { cause },
      );
    }
  }

  /**
   * Special tokens get a space inside, and so do the tags of a template that sets thoughts apart: it would drop what
   * stands before `<think>` or between two `</think>`, and an answer must not hide a part of itself from its judge.
   */
  #disarm(content: string): string {
    const plain = this.#tokenizer.disarm(content);
    return this.#parsesThoughts ? plain.replace(/<(\/?)think>/g, '< $1think>') : plain;
  }
}

/** @param count tokens of the prompt, as far as they were counted */
export function promptTooLong(maxTokens: number, count: number): UsageError {
  return new UsageError(
    'ERR_PROMPT_TOO_LONG',
    `The reward model reads at most ${maxTokens} tokens, received a prompt of ${count} or more. Shorten the conversation that is judged.`,
  );
}
