/** What a language model's layer makes of conversations: its state where the answer would begin. */
import { type Context, Model, type ModelOptions, type NativeImage } from '../engine/index.js';
import { type DecodeImageOptions, decodeImage } from '../image/index.js';
import type { Turn } from '../types/turn.js';

export interface LayerReaderOptions extends ModelOptions {
  /** Behind which the state is read. */
  readonly layer: number;
  /** Tokens of a conversation at most. */
  readonly contextSize: number;
  /** Pixels of a picture at most. @default as `decodeImage` */
  readonly maxPixels?: number | undefined;
}

export class LayerReader {
  readonly #model: Model;
  readonly #context: Context<'hidden-state'>;
  readonly #maxPixels: number | undefined;

  /** @throws what Model.load and createContext throw */
  static async load({ layer, contextSize, maxPixels, ...loading }: LayerReaderOptions): Promise<LayerReader> {
    const model = await Model.load(loading);
    try {
      const context = await model.createContext({ output: 'hidden-state', layer, contextSize, sequenceCount: 1 });
      return new LayerReader(model, context, maxPixels);
    } catch (error) {
      await model.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  private constructor(model: Model, context: Context<'hidden-state'>, maxPixels: number | undefined) {
    this.#model = model;
    this.#context = context;
    this.#maxPixels = maxPixels;
  }

  /** Numbers of a state. */
  get length(): number {
    return this.#model.facts.embeddingSize;
  }

  /**
   * The state at the last token of the prompt.
   *
   * @throws UsageError ERR_PROMPT_TOO_LONG; ImageError; ModelError ERR_NO_PROJECTOR; EngineError; AbortError
   */
  async stateOf(turns: readonly Turn[], signal: AbortSignal): Promise<Float32Array> {
    const images: NativeImage[] = [];
    try {
      const shown = [];
      for (const { role, text, images: sources = [] } of turns) {
        const own: NativeImage[] = [];
        for (const source of sources) {
          const picture = await decodeImage(source, this.#decoding(signal));
          const image = await this.#model.encodeImage(picture, { signal });
          images.push(image);
          own.push(image);
        }
        shown.push({ role, text, images: own });
      }
      const { cellCount } = this.#context.facts;
      const left = images.reduce((count, { tokenCount }) => count - tokenCount, cellCount);
      const prompt = await this.#model.prompt(shown, { maxTokens: Math.max(0, left), signal });
      await using lease = await this.#context.reserve({ cellCount, sequenceCount: 1 }, signal);
      const sequence = await lease.createSequence();
      await sequence.prefill(prompt, { signal });
      return await sequence.hiddenState({ signal });
    } finally {
      for (const image of images) image.dispose();
    }
  }

  async dispose(): Promise<void> {
    await this.#model.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #decoding(signal: AbortSignal): DecodeImageOptions {
    return { signal, maxPixels: this.#maxPixels };
  }
}
