/** A language model, with its projector where it takes pictures. */
import { basename } from 'node:path';
import { types } from 'node:util';
import { z } from 'zod';
import { onAbort, orAbort, signalSchema } from '../abort.js';
import { isRoomBeside, physicalCoreCount } from '../cores.js';
import { AbortError, ImageError, ModelError, throwIfAborted, UsageError } from '../errors.js';
import { loadAddon } from '../native/binding.js';
import type {
  NativeEncoding,
  NativeImage,
  NativeLoad,
  NativeModel,
  NativeModelFacts,
  NativePart,
} from '../native/binding-types.js';
import { describe, deviceName, integer, integerFrom, parseOptions } from '../options.js';
import { sharePicture } from '../shared-picture.js';
import type { RgbImage } from '../types.js';
import { ChatTemplate, maxTokensField, type PromptOptions } from './chat-template.js';
import { Context } from './context.js';
import {
  type ContextDefaults,
  type ContextOptions,
  type HiddenStateContextOptions,
  nativeContextOptions,
} from './context-options.js';
import { layerDevices, returnMemory } from './devices.js';
import { GPU_LAYERS } from './gpu-layers.js';
import { checkModelFile } from './model-file.js';
import { engineError, native } from './native-error.js';
import type { Output } from './output.js';
import { probeModel } from './probe.js';
import { promptParts } from './prompt-parts.js';
import type { PromptTurn } from './prompt-piece.js';
import { textOf } from './token-text.js';
import { tokensOf } from './tokenizing.js';
import { Vocabulary } from './vocabulary.js';

/** What the addon takes: libmtmd computes with 32-bit sizes. */
const MAX_SIDE = 32_768;
const MAX_PIXELS = 2 ** 28;

const modelSchema = z.strictObject({
  modelPath: z.string('expected a path').min(1, 'expected a path'),
  projectorPath: z.string('expected a path').min(1, 'expected a path').optional(),
  device: deviceName.default('auto'),
  gpuLayerCount: integer(GPU_LAYERS.least, GPU_LAYERS.most).default(-1),
  projectorOnGpu: z.boolean('expected true or false').optional(),
  threadCount: integer(1, 256).optional(),
  useMmap: z.boolean('expected true or false').default(true),
  useMlock: z.boolean('expected true or false').default(false),
  probe: z.boolean('expected true or false').default(false),
  signal: signalSchema.optional(),
  onProgress: z
    .custom<(fraction: number) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
});

/** What `Model.load` takes. */
export interface ModelOptions {
  /** Path of the language model's GGUF. */
  modelPath: string;
  /** Path of its projector's GGUF (mmproj). @default none: the model takes text alone */
  projectorPath?: string | undefined;
  /**
   * What to compute on: a name that `devices()` gives, such as `Vulkan0` or `CPU`, in upper or lower case; `auto`: all
   * GPUs. The projector goes where the layers go. @default 'auto'
   */
  device?: string | undefined;
  /** Layers on the GPU, -1 to 100000. 0: none. -1: all. Without a GPU it has no meaning. @default -1 */
  gpuLayerCount?: number | undefined;
  /** Whether the projector may use the GPU. @default true, unless `gpuLayerCount` is 0 */
  projectorOnGpu?: boolean | undefined;
  /**
   * Threads of the image encoder, and of every step of its contexts, 1 to 256.
   * @default physical cores for the encoder; a step gets as many of them as are found to be fastest, measured while it
   * runs, or all with node-llama-cpp's own code for the processor
   */
  threadCount?: number | undefined;
  /** Whether the weights are mapped instead of read. @default true */
  useMmap?: boolean | undefined;
  /** Whether the weights are kept from being swapped out. @default false */
  useMlock?: boolean | undefined;
  /**
   * Whether the files are loaded in a process of their own first, with the same options: it decodes a token and encodes a
   * picture. llama.cpp ends the process on some damaged files; then it ends that one, and this load fails with
   * ERR_MODEL_INVALID. Takes about as long as the load. @default false
   */
  probe?: boolean | undefined;
  /** Ends the loading with an AbortError. */
  signal?: AbortSignal | undefined;
  /** Gets a fraction from 0 to 1. What it throws ends the loading. */
  onProgress?: ((fraction: number) => void) | undefined;
}

const imageSchema = z.object({
  data: z.custom<Uint8Array>(types.isUint8Array, 'expected RGB bytes'),
  width: integerFrom(1),
  height: integerFrom(1),
});

const tokenizeSchema = z.strictObject({
  parseSpecial: z.boolean('expected true or false').default(false),
  isContinued: z.boolean('expected true or false').default(false),
  maxTokens: maxTokensField,
  signal: signalSchema.optional(),
});

/** What `model.tokenize` takes beside the text. */
export interface TokenizeOptions {
  /** Whether text such as "</s>" becomes the token of that name. @default false */
  parseSpecial?: boolean | undefined;
  /** Whether the text stands behind other text: SentencePiece puts a space before one that does not. @default false */
  isContinued?: boolean | undefined;
  /** Tokens at most, 0 to 2147483647; more is ERR_PROMPT_TOO_LONG, mostly before any is made. @default 2147483647 */
  maxTokens?: number | undefined;
  /** Ends it at once with an AbortError. */
  signal?: AbortSignal | undefined;
}

const encodeSchema = z.strictObject({ signal: signalSchema.optional() });

/** What `model.encodeImage` takes beside the picture. */
export interface EncodeImageOptions {
  /** Ends it at once with an AbortError; the encoder stops within one of its blocks. */
  signal?: AbortSignal | undefined;
}

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

  /**
   * Loads the model. Weights are mapped, so this takes long only for the projector and on a GPU.
   *
   * @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID, ERR_MODEL_MISMATCH, ERR_MEMORY when the device has no room;
   *   EngineError ERR_ADDON_NOT_FOUND, ERR_THREADS, ERR_DEVICE_LOST; AbortError; UsageError, ERR_DEVICE_NOT_FOUND among them
   */
  static async load(options: ModelOptions): Promise<Model> {
    const parsed = parseOptions(modelSchema, options, 'Model.load options');
    const { signal, onProgress, probe, ...load } = parsed;
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
      return new Model(loaded, vocabulary, defaults, modelPath);
    } catch (error) {
      await loaded.dispose().catch(() => undefined); // the first failure is the one to tell
      throw engineError(error);
    }
  }

  private constructor(loaded: NativeModel, vocabulary: Vocabulary, defaults: ContextDefaults, modelPath: string) {
    this.#native = loaded;
    this.#vocabulary = vocabulary;
    this.#defaults = defaults;
    this.name = loaded.facts.metadata['general.name'] || basename(modelPath);
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
    this.#template ??= new ChatTemplate(this.facts);
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
    this.#template ??= new ChatTemplate(this.facts);
    return await tokensOf(this.#native, this.#template.renderFollowUp(turns, text, options), {
      isContinued: true,
      signal: options?.signal,
    });
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

/** Where layers and projector go, as the addon takes it. @throws UsageError ERR_DEVICE_NOT_FOUND */
function placeOf({ device, gpuLayerCount, projectorOnGpu }: z.output<typeof modelSchema>) {
  const found = layerDevices(device);
  if (device.toLowerCase() === 'cpu') return { gpuLayerCount: 0, projectorOnGpu: false };
  const place = { gpuLayerCount, projectorOnGpu: projectorOnGpu ?? gpuLayerCount !== 0 };
  return device.toLowerCase() === 'auto' ? place : { ...place, device: found[0]?.name };
}

/** The picture of an encoding; the signal cancels it. */
async function encoded(begin: () => NativeEncoding, signal: AbortSignal | undefined): Promise<NativeImage> {
  const { image, cancel } = await native(begin);
  const takeBack = onAbort(signal, cancel);
  return await orAbort(
    native(() => image),
    signal,
    (late) => late.dispose(),
  ).finally(takeBack);
}

/** The model of a load; the signal cancels it, and so does an `onProgress` that throws. */
async function arrival(
  begin: (report: (fraction: number) => void) => NativeLoad,
  signal: AbortSignal | undefined,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<NativeModel> {
  const thrown: unknown[] = [];
  const load = begin((fraction) => {
    if (thrown.length > 0) return;
    try {
      onProgress?.(fraction);
    } catch (error) {
      thrown.push(error); // in a callback of the addon it would end the process
      load.cancel();
    }
  });
  const takeBack = onAbort(signal, () => load.cancel());
  try {
    const model = await load.model;
    if (!signal?.aborted && thrown.length === 0) return model;
    await model.dispose();
    throw new AbortError(signal);
  } catch (error) {
    if (thrown.length > 0) throw thrown[0];
    throw signal?.aborted ? new AbortError(signal) : error;
  } finally {
    takeBack();
  }
}
