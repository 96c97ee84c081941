/** A language model, with its projector where it takes pictures. */
import { basename } from 'node:path';
import { isRoomBeside, physicalCoreCount } from '../cores.js';
import { ImageError, ModelError, throwIfAborted, UsageError } from '../errors.js';
import { loadAddon } from '../native/binding.js';
import type { NativePart } from '../native/context-types.js';
import type { NativeImage } from '../native/image-types.js';
import type { NativeModel, NativeModelFacts } from '../native/model-types.js';
import { describe, parseOptions } from '../options.js';
import { sharePicture } from '../shared-picture.js';
import type { RgbImage } from '../types/picture.js';
import type { ConversationForm } from '../types/turn.js';
import { arrival } from './arrival.js';
import { ChatTemplate, type PromptOptions } from './chat-template.js';
import { Context } from './context.js';
import {
  type ContextDefaults,
  type ContextOptions,
  type HiddenStateContextOptions,
  nativeContextOptions,
} from './context-options.js';
import { layerDevices, returnMemory } from './devices.js';
import { encoded } from './encoding.js';
import { isLlava15 } from './llava-v1.js';
import { checkModelFile } from './model-file.js';
import {
  type EncodeImageOptions,
  encodeSchema,
  imageSchema,
  MAX_PIXELS,
  MAX_SIDE,
  type ModelOptions,
  modelSchema,
  placeOf,
  type TokenizeOptions,
  tokenizeSchema,
} from './model-options.js';
import { engineError, native } from './native-error.js';
import type { Output } from './output.js';
import { probeModel } from './probe.js';
import { promptParts } from './prompt-parts.js';
import type { PromptTurn } from './prompt-piece.js';
import { textOf } from './token-text.js';
import { tokensOf } from './tokenizing.js';
import { Vocabulary } from './vocabulary.js';

/** Weights, vocabulary, chat template and picture encoder; made by {@link Model.load}. */
export class Model {
  readonly #native: NativeModel;
  readonly #vocabulary: Vocabulary;
  readonly #defaults: ContextDefaults;
  readonly #contexts = new Set<Context<Output>>();
  #template: ChatTemplate | undefined;
  #disposed: Promise<void> | undefined;

  /** `general.name` of the GGUF, or the file's name. */
  readonly name: string;
  /** How conversations are written: `llava_v1` only where that is another form than the file's. */
  readonly conversationForm: ConversationForm;

  /**
   * Loads the model. Weights are mapped, so this takes long only for the projector and on a GPU.
   *
   * @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID, ERR_MODEL_MISMATCH, ERR_MEMORY when the device has no room;
   *   EngineError ERR_ADDON_NOT_FOUND, ERR_THREADS, ERR_DEVICE_LOST; AbortError; UsageError, ERR_DEVICE_NOT_FOUND among them
   */
  static async load(options: ModelOptions): Promise<Model> {
    const parsed = parseOptions(modelSchema, options, 'Model.load options');
    const { signal, onProgress, probe, conversationForm, ...load } = parsed;
    const { modelPath, projectorPath, useMmap, useMlock } = load;
    throwIfAborted(signal);
    await checkModelFile(modelPath, 'language model');
    if (projectorPath !== undefined) await checkModelFile(projectorPath, 'projector');
    throwIfAborted(signal);
    if (probe) await probeModel(load, signal);
    const threadCount = parsed.threadCount ?? physicalCoreCount();
    const { binding, threadsKeepBits } = loadAddon();
    const place = placeOf(parsed);
    const nativeOptions = { modelPath, projectorPath, ...place, threadCount, useMmap, useMlock };
    const loaded = await native(() =>
      arrival((report) => binding.loadModel(nativeOptions, report), signal, onProgress),
    );
    try {
      const vocabulary = await Vocabulary.read(loaded);
      throwIfAborted(signal);
      const device = layerDevices('auto').length > 0 && place.gpuLayerCount !== 0 ? 'gpu' : 'cpu';
      const { trainedContextLength } = loaded.facts;
      const measuresThreads = parsed.threadCount === undefined && threadsKeepBits;
      const defaults = { trainedContextLength, threadCount, measuresThreads, device } as const;
      return new Model(loaded, vocabulary, defaults, modelPath, conversationForm);
    } catch (error) {
      await loaded.dispose().catch(() => undefined); // the first failure is the one to tell
      throw engineError(error);
    }
  }

  private constructor(
    loaded: NativeModel,
    vocabulary: Vocabulary,
    defaults: ContextDefaults,
    modelPath: string,
    form: ConversationForm,
  ) {
    this.#native = loaded;
    this.#vocabulary = vocabulary;
    this.#defaults = defaults;
    const { facts } = loaded;
    // A file without a template gets the same: that is no other form.
    this.conversationForm = isLlava15(facts) && facts.chatTemplate !== null ? form : 'file';
    this.name = facts.metadata['general.name'] || basename(modelPath);
  }

  /** Threads of the image encoder, and of a step at most; all of them where {@link measuresThreads} is false. */
  get threadCount(): number {
    return this.#defaults.threadCount;
  }

  /** Whether a step gets as many threads as are found to be fastest: nobody named a number, and any computes the same bits. */
  get measuresThreads(): boolean {
    return this.#defaults.measuresThreads;
  }

  /** What its file says of it. */
  get facts(): NativeModelFacts {
    return this.#native.facts;
  }

  /**
   * Tokens of a text, without begin token. Runs beside decodes and other texts, on a thread of its own.
   *
   * @throws UsageError ERR_INVALID_REQUEST; ERR_PROMPT_TOO_LONG for more than `maxTokens`; AbortError at once
   */
  async tokenize(text: string, options?: TokenizeOptions): Promise<Int32Array> {
    const { parseSpecial, ...how } = parseOptions(tokenizeSchema, options, 'tokenize options');
    this.#expectAlive();
    if (typeof text !== 'string')
      throw new UsageError('ERR_INVALID_REQUEST', `Expected a text, received ${describe(text)}.`);
    return await tokensOf(this.#native, [{ text, parseSpecial }], how);
  }

  /** Text of tokens; control tokens have none, bytes that are no UTF-8 give U+FFFD. */
  text(tokens: Iterable<number>): string {
    return textOf(this.#vocabulary, tokens);
  }

  /** UTF-8 of one token, perhaps part of a character; empty for control tokens. */
  tokenBytes(token: number): Uint8Array {
    return this.#vocabulary.tokenBytes(token);
  }

  /**
   * Every token that can finish one of these characters: the only tokens at which a sentence can end. Ascending;
   * computed once per argument.
   */
  tokensContaining(characters: string): Int32Array {
    return this.#vocabulary.containing(characters);
  }

  /**
   * Encodes a picture. The result keeps the embeddings in main memory until it is disposed of, and serves every context
   * of this model, as often as it is used.
   *
   * @param image of at most 8 MiB of pixels is copied at the call, and may be changed or transferred away at once; a larger
   *   one is read until the promise settles, and must be kept until then
   * @throws ModelError ERR_NO_PROJECTOR; ImageError ERR_IMAGE_UNREADABLE, ERR_IMAGE_TOO_LARGE; EngineError ERR_THREADS;
   *   AbortError at once, and the encoder ends within one of its blocks
   */
  async encodeImage(image: RgbImage, options?: EncodeImageOptions): Promise<NativeImage> {
    const { signal } = parseOptions(encodeSchema, options, 'encodeImage options');
    const { data, width, height } = parseOptions(imageSchema, image, 'encodeImage');
    throwIfAborted(signal);
    this.#expectAlive();
    if (!this.facts.hasVision) {
      throw new ModelError(
        'ERR_NO_PROJECTOR',
        `Expected a model that takes pictures, received ${this.name} without projector. Load it with projectorPath.`,
      );
    }
    if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
      throw new ImageError(
        'ERR_IMAGE_TOO_LARGE',
        `The picture has ${width} x ${height} pixels. Expected at most ${MAX_SIDE} on a side and ${MAX_PIXELS} in all: shrink it first.`,
      );
    }
    const picture = await sharePicture({ data, width, height }, signal);
    this.#expectAlive();
    return await encoded(() => this.#native.encodeImage(picture), signal);
  }

  /**
   * An encoded picture as the text that is nearest to it: in the place of each of its rows the token whose embedding has the
   * largest cosine with it, of equal ones the first. Control tokens are none of them: no picture ends its turn. Positions
   * are those of text. The picture given stays as it is. Takes as long as the vocabulary, its width and the picture's rows
   * together are large, on the model's thread.
   *
   * @throws ModelError ERR_MODEL_INVALID where the model's file holds no table of token embeddings (the first part of a split
   *   one may not); UsageError ERR_INVALID_REQUEST for a picture of another model, ERR_DISPOSED; ImageError; AbortError at once
   */
  async nearestText(image: NativeImage, options?: EncodeImageOptions): Promise<NativeImage> {
    const { signal } = parseOptions(encodeSchema, options, 'nearestText options');
    throwIfAborted(signal);
    this.#expectAlive();
    return await encoded(() => this.#native.nearestText(image), signal);
  }

  /**
   * The conversation as input of a sequence: the model's chat template with what it asks for, up to where the answer
   * begins. Text of turns is text: it becomes neither special tokens nor pictures, whatever it says.
   *
   * @throws UsageError ERR_INVALID_REQUEST; ERR_PROMPT_TOO_LONG for more than `maxTokens`; ModelError ERR_MODEL_INVALID
   *   when the template cannot be used; AbortError at once
   */
  async prompt(turns: readonly PromptTurn[], options?: PromptOptions): Promise<NativePart[]> {
    this.#expectAlive();
    this.#template ??= this.#newTemplate();
    return await promptParts(this.#template.render(turns, options), this.#native, options ?? {});
  }

  /**
   * Tokens that stand behind an answer of the model's own when the user goes on: what ends the answer, the user's next
   * turn, and where the reply begins. They fit behind any answer to these turns, which need not be known.
   *
   * @param turns before that answer; their pictures make no difference
   * @param text of the next turn
   * @throws as {@link prompt}, also for a template that leaves the answer out
   */
  async followUp(
    turns: readonly PromptTurn[],
    text: string,
    options?: Pick<PromptOptions, 'variables' | 'signal'>,
  ): Promise<Int32Array> {
    this.#expectAlive();
    this.#template ??= this.#newTemplate();
    return await tokensOf(this.#native, this.#template.renderFollowUp(turns, text, options), {
      isContinued: true,
      signal: options?.signal,
    });
  }

  #newTemplate(): ChatTemplate {
    const isForced = this.conversationForm === 'llava_v1';
    return new ChatTemplate(isForced ? { ...this.facts, chatTemplate: null } : this.facts);
  }

  /** A KV cache of this model. @throws EngineError ERR_CONTEXT, ERR_THREADS; UsageError */
  createContext(options?: ContextOptions): Promise<Context>;
  createContext(options: HiddenStateContextOptions): Promise<Context<'hidden-state'>>;
  async createContext(options?: ContextOptions | HiddenStateContextOptions): Promise<unknown> {
    const contextOptions = nativeContextOptions(options, this.#defaults);
    this.#expectAlive();
    const nativeContext = await native(() => this.#native.createContext(contextOptions));
    const tellsMeanwhile = this.#defaults.device === 'gpu' || isRoomBeside(contextOptions.threadCount);
    const context = new Context(nativeContext, {
      vocabulary: this.#vocabulary,
      tellsMeanwhile,
      onDispose: (gone) => this.#contexts.delete(gone),
    });
    this.#contexts.add(context);
    return context;
  }

  /** Disposes of its contexts and pictures too, within one step, and gives their memory back to the system. Idempotent. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  /** `await using` calls it at the end of its block: the same as `dispose()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async #dispose(): Promise<void> {
    await Promise.all([...this.#contexts].map((context) => context.dispose()));
    await native(() => this.#native.dispose());
    await returnMemory();
  }

  #expectAlive(): void {
    if (this.#disposed !== undefined) {
      throw new UsageError('ERR_DISPOSED', 'Expected a loaded model, received one that was disposed of.');
    }
  }
}
