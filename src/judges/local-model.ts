/**
 * A judge's model on this machine: any GGUF that chats, in our own engine, greedy, several questions in each step.
 *
 * Questions of one judge begin alike (categories, rubric), so the tokens that the first two share are read once and kept
 * as a sequence; every later question is a fork of it. One that begins with a picture shares nothing.
 */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { GPU_LAYERS } from '../engine/gpu-layers.js';
import { type Context, GREEDY, type Lease, Model, type NativePart, type Sequence } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { deviceName, integer, parseOptions } from '../options.js';
import { Room } from '../room.js';
import type { ChatModel, ChatTurn, Reply } from './chat-model.js';
import { type LocalQuestion, LocalQuestions } from './local-question.js';

/** What a judge's model on this machine is loaded with. */
export interface LocalModelOptions {
  /** Path of the model's GGUF. */
  modelPath: string;
  /** Path of its projector's GGUF: with it the model is shown the pictures of requests. */
  projectorPath?: string | undefined;
  /** KV cells for all questions at once, >= 1. @default what the model was trained with, at most 8192 */
  contextSize?: number | undefined;
  /** Questions answered side by side, 1 to 255. @default 4 */
  concurrency?: number | undefined;
  /**
   * Whether its word about an answer depends on nothing else that it is asked, bit for bit: one question at a time,
   * whatever `concurrency` says, and each read whole. @default false
   */
  exact?: boolean | undefined;
  /** Tokens of a reply at most, 1 to 1048576. MD-Judge's reasoning takes some 60 to 200. @default 512 */
  maxTokens?: number | undefined;
  /** A name that `devices()` gives, or `auto`: all GPUs. @default 'auto' */
  device?: string | undefined;
  /** Layers on the GPU, -1 to 100000. 0: none. -1: all. @default -1 */
  gpuLayerCount?: number | undefined;
  /** Threads, 1 to 256. @default physical cores */
  threadCount?: number | undefined;
  /** Ends the loading with an AbortError. */
  signal?: AbortSignal | undefined;
  /** Gets a fraction from 0 to 1. What it throws ends the loading. */
  onProgress?: ((fraction: number) => void) | undefined;
}

const localModelSchema = z.strictObject({
  modelPath: z.string('expected a path').min(1, 'expected a path'),
  projectorPath: z.string('expected a path').min(1, 'expected a path').optional(),
  contextSize: integer(1, 2 ** 31 - 1).optional(),
  concurrency: integer(1, 255).default(4),
  exact: z.boolean('expected true or false').default(false),
  maxTokens: integer(1, 2 ** 20).default(512),
  device: deviceName.optional(),
  gpuLayerCount: integer(GPU_LAYERS.least, GPU_LAYERS.most).optional(),
  threadCount: integer(1, 256).optional(),
  signal: signalSchema.optional(),
  onProgress: z
    .custom<(fraction: number) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
});

/** What marks a chat template that is a judge's: the line that its reply must hold. */
const JUDGE_TEMPLATE = '[RESULT]';

/** Fewer shared tokens are not worth a sequence. */
const MIN_SHARED_TOKENS = 32;

interface Shared {
  readonly tokens: Int32Array;
  readonly sequence: Sequence;
}

export class LocalModel implements ChatModel {
  readonly name: string;
  readonly settings: ChatModel['settings'];
  readonly judgesConversations: boolean;
  readonly seesPictures: boolean;
  readonly #model: Model;
  readonly #questions: LocalQuestions;
  readonly #lease: Lease;
  readonly #maxTokens: number;
  readonly #sharesOpenings: boolean;
  readonly #lanes: Room;
  readonly #cells: Room;
  readonly #window: number;
  #firstPrompt: Int32Array | undefined;
  #shared: Promise<Shared | null> | undefined;
  #sharedCount = 0;
  #disposed: Promise<void> | undefined;

  /** @throws as Model.load and Model.createContext */
  static async load(options: LocalModelOptions): Promise<LocalModel> {
    const parsed = parseOptions(localModelSchema, options, 'judge model options');
    const { contextSize, concurrency: atOnce, exact, maxTokens, ...loading } = parsed;
    const concurrency = exact ? 1 : atOnce;
    const model = await Model.load(loading);
    try {
      const sequenceCount = concurrency + 1; // and what they share
      const context = await model.createContext({ contextSize, sequenceCount });
      const lease = await reserveAll(context);
      return new LocalModel(model, context, lease, { concurrency, exact, maxTokens });
    } catch (error) {
      await model.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  private constructor(
    model: Model,
    context: Context,
    lease: Lease,
    {
      concurrency,
      exact,
      maxTokens,
    }: { readonly concurrency: number; readonly exact: boolean; readonly maxTokens: number },
  ) {
    this.#model = model;
    this.#lease = lease;
    this.#maxTokens = maxTokens;
    this.#sharesOpenings = !exact;
    this.#lanes = new Room(concurrency);
    this.#cells = new Room(context.facts.cellCount);
    this.#window = model.facts.trainedContextLength || Number.POSITIVE_INFINITY;
    this.name = model.name;
    const { description, sizeBytes, hasVision, chatTemplate } = model.facts;
    this.judgesConversations = chatTemplate?.includes(JUDGE_TEMPLATE) ?? false;
    this.seesPictures = hasVision;
    this.#questions = new LocalQuestions(model, this.judgesConversations);
    const told = { ...(exact && { exact }), ...(hasVision && { pictures: true }) };
    this.settings = { model: model.name, description, sizeBytes, maxTokens, temperature: 0, ...told };
  }

  async ask(turns: readonly ChatTurn[], signal?: AbortSignal): Promise<Reply> {
    if (this.#disposed !== undefined)
      throw new UsageError(
        'ERR_DISPOSED',
        'Expected a loaded judge, received one that was disposed of. Load it again.',
      );
    const leaveLane = await this.#lanes.enter(1, signal); // before its pictures are encoded, which take memory
    try {
      const question = await this.#question(turns, signal);
      try {
        return await this.#askIn(question, signal);
      } finally {
        question.release();
      }
    } finally {
      leaveLane();
    }
  }

  async checkLength(turns: readonly ChatTurn[]): Promise<void> {
    const { tokenCount, release } = await this.#question(turns);
    release();
    this.#checkLength(tokenCount, tokenCount - this.#sharedCount);
  }

  dispose(): Promise<void> {
    this.#questions.dispose();
    this.#disposed ??= this.#model.dispose();
    return this.#disposed;
  }

  async #question(turns: readonly ChatTurn[], signal?: AbortSignal): Promise<LocalQuestion> {
    return await this.#questions.make(turns, { maxTokens: Math.min(this.#cells.capacity, this.#window), signal });
  }

  async #askIn({ parts, tokenCount }: LocalQuestion, signal?: AbortSignal): Promise<Reply> {
    const opening = await this.#openingOf(parts);
    const readCount = opening?.tokens.length ?? 0;
    const rest = parts.map((part, at) => (at === 0 && part instanceof Int32Array ? part.slice(readCount) : part));
    this.#checkLength(tokenCount, tokenCount - readCount);
    const leaveCells = await this.#cells.enter(tokenCount - readCount + this.#maxTokens, signal);
    try {
      return await this.#reply(opening, rest, signal);
    } finally {
      leaveCells();
    }
  }

  async #reply(opening: Shared | null, rest: readonly NativePart[], signal?: AbortSignal): Promise<Reply> {
    const [forked] = (await opening?.sequence.fork(1)) ?? [];
    const sequence = forked ?? (await this.#lease.createSequence());
    try {
      await sequence.append(rest);
      const { text, stopReason } = await sequence.decode({ sampler: GREEDY, maxTokens: this.#maxTokens, signal });
      return { text, isCutOff: stopReason === 'length' };
    } finally {
      await sequence.release();
    }
  }

  /** What was read before and a question begins with; null where that is nothing. */
  async #openingOf([tokens, ...others]: readonly NativePart[]): Promise<Shared | null> {
    if (!this.#sharesOpenings || !(tokens instanceof Int32Array) || others.length > 0) return null;
    const shared = await this.#sharedBy(tokens);
    return shared !== null && commonCount(shared.tokens, tokens) === shared.tokens.length ? shared : null;
  }

  /** What the first two prompts share, once a second one has come. */
  async #sharedBy(tokens: Int32Array): Promise<Shared | null> {
    if (this.#firstPrompt === undefined) {
      this.#firstPrompt = tokens;
      return null;
    }
    const count = Math.min(commonCount(this.#firstPrompt, tokens), tokens.length - 1);
    this.#shared ??= this.#share(tokens.slice(0, count));
    return await this.#shared;
  }

  /** Null too where the model's memory cannot be forked, or too little room would be left. */
  async #share(tokens: Int32Array): Promise<Shared | null> {
    if (tokens.length < MIN_SHARED_TOKENS || tokens.length > this.#cells.capacity / 2) return null;
    this.#sharedCount = tokens.length; // from here on: a question that finds no room beside it is refused, and does not wait for it
    const leave = await this.#cells.enter(tokens.length); // kept until the end
    const sequence = await this.#lease.createSequence();
    try {
      await sequence.prefill([tokens]);
      const [probe] = await sequence.fork(1);
      await probe?.release();
      return { tokens, sequence };
    } catch {
      this.#sharedCount = 0;
      leave();
      await sequence.release(); // every question is then read whole, which costs time and nothing else
      return null;
    }
  }

  #checkLength(tokenCount: number, cellCount: number): void {
    const most = Math.min(this.#cells.capacity - this.#sharedCount - cellCount, this.#window - tokenCount);
    if (most >= this.#maxTokens) return;
    const room = Math.min(this.#cells.capacity, this.#window);
    throw new UsageError(
      'ERR_PROMPT_TOO_LONG',
      `the question about the answer takes ${tokenCount} tokens; with ${this.#maxTokens} for the reply it exceeds the judge's ${room} tokens. Load the judge with a larger context, or fewer tokens for the reply.`,
    );
  }
}

/** The judge owns its context: one lease holds all of it. */
function reserveAll(context: Context): Promise<Lease> {
  const { cellCount, sequenceCount } = context.facts;
  return context.reserve({ cellCount, sequenceCount });
}

function commonCount(one: Int32Array, other: Int32Array): number {
  let count = 0;
  while (count < one.length && one[count] === other[count]) count++;
  return count;
}
