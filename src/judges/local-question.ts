/** A question to a judge's model on this machine, as the input of a sequence. */
import { EncodedImages, type Model, type NativeImage, type NativePart, type PromptTurn } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { decodeImage } from '../image/index.js';
import type { ChatTurn } from './chat-model.js';

export interface LocalQuestion {
  readonly parts: readonly NativePart[];
  /** Cells that it takes, its pictures' among them. */
  readonly tokenCount: number;
  /** Gives its pictures back. */
  release(): void;
}

interface QuestionOptions {
  /** Tokens of its text at most. */
  readonly maxTokens: number;
  readonly signal?: AbortSignal | undefined;
}

/** Makes questions; the same picture, asked about again, is not encoded again. */
export class LocalQuestions {
  readonly #model: Model;
  readonly #images: EncodedImages;
  readonly #mayEndWithAnswer: boolean;

  /** @param mayEndWithAnswer whether questions are conversations that end with the answer to judge */
  constructor(model: Model, mayEndWithAnswer: boolean) {
    this.#model = model;
    this.#images = new EncodedImages(model);
    this.#mayEndWithAnswer = mayEndWithAnswer;
  }

  /** @throws UsageError ERR_PROMPT_TOO_LONG; ImageError; AbortError; EngineError */
  async make(turns: readonly ChatTurn[], { maxTokens, signal }: QuestionOptions): Promise<LocalQuestion> {
    const releases: (() => void)[] = [];
    const release = () => {
      for (const giveBack of releases.splice(0)) giveBack();
    };
    try {
      const shown: PromptTurn[] = [];
      for (const { role, text, images = [] } of turns) {
        const encoded: NativeImage[] = [];
        for (const source of images) {
          const borrowed = await this.#images.borrow(await decodeImage(source, { signal }), { signal });
          releases.push(borrowed.release);
          encoded.push(borrowed.image);
        }
        shown.push({ role, text, images: encoded });
      }
      const parts = await this.#prompt(shown, { maxTokens, signal });
      const tokenCount = parts.reduce(
        (sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount),
        0,
      );
      return { parts, tokenCount, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Idempotent. */
  dispose(): void {
    this.#images.dispose();
  }

  async #prompt(turns: readonly PromptTurn[], { maxTokens, signal }: QuestionOptions): Promise<NativePart[]> {
    try {
      return await this.#model.prompt(turns, { mayEndWithAnswer: this.#mayEndWithAnswer, maxTokens, signal });
    } catch (cause) {
      if (!(cause instanceof UsageError) || cause.code !== 'ERR_PROMPT_TOO_LONG') throw cause;
      throw new UsageError(
        cause.code,
        `the question about the answer exceeds the judge's ${maxTokens} tokens: ${cause.message}`,
        { cause },
      );
    }
  }
}
