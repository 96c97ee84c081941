/** A lane of the KV cache: what was read and written so far, ready to go on, to branch, or to be cut back. */
import { throwIfAborted, UsageError } from '../errors.js';
import type { NativeContext, NativeLogitsContext, NativePart } from '../native/context-types.js';
import type { NativeSamplerOptions } from '../native/run-types.js';
import { parseOptions } from '../options.js';
import { allEnded } from '../side-by-side.js';
import type { ComingPrefix } from './coming-prefixes.js';
import { type Content, cutChain } from './content-chain.js';
import { native } from './native-error.js';
import { type Output, withHiddenState, withLogits } from './output.js';
import { takeParts } from './parts.js';
import { nativeSampler } from './sampler.js';
import type { Scheduler } from './scheduler.js';
import {
  allDecoded,
  contentOf,
  EMPTY,
  ofFork,
  recounted,
  type SequenceContent,
  withoutParts,
  withParts,
  withTokens,
} from './sequence-content.js';
import {
  contrastWeightSchema,
  type Decoded,
  type DecodeOptions,
  decodeSchema,
  type PrefillOptions,
  prefillSchema,
} from './sequence-options.js';
import { DecodeTask, PrefillTask, type Task } from './task.js';
import { type TokenBytes, TokenText } from './token-text.js';

/** What a sequence needs of the lease that it was made in. */
export interface SequenceHome<Kept extends Output> {
  readonly output: Kept;
  readonly native: NativeContext;
  readonly scheduler: Scheduler;
  readonly vocabulary: TokenBytes;
  /** Adds children of this lane to the lease. */
  fork(parent: number, count: number, child: (id: number) => Sequence<Kept>): Promise<Sequence<Kept>[]>;
  /** Keeps what this lane holds beyond its lease. */
  keep(sequence: number, chain: Content): Promise<void>;
  /** What it held beside a kept sequence is no longer its. */
  onCut(): void;
  release(sequences: readonly Sequence<Kept>[]): Promise<void>;
}

/** What a decode holds its sequence's logits against. */
export interface Contrast {
  /** Of the same lease, idle, with something to go on from. It takes every token that is drawn. */
  against: Sequence<'logits'>;
  /** Each token is drawn from logits + weight × (logits − those of the other): from 0 to 1000000. */
  weight: number;
}

/**
 * Made by {@link Lease.createSequence} and {@link fork}. Work on one sequence is done one call after another: a call
 * while a prefill or decode runs is refused, except `release`, which ends it.
 */
export class Sequence<Kept extends Output = 'logits'> {
  /** The addon's number. */
  readonly id: number;
  readonly #home: SequenceHome<Kept>;
  #content: SequenceContent;
  #busyWith: string | undefined;
  #isReleased = false;
  /** Whether a decode gave it one, with which another may go on. */
  #hasSampler = false;
  #coming: ComingPrefix | undefined;

  /** Not for callers: {@link Lease} makes sequences. */
  constructor(home: SequenceHome<Kept>, id: number, content: SequenceContent = EMPTY) {
    this.#home = home;
    this.id = id;
    this.#content = content;
  }

  /** What its context keeps of its last token. */
  get output(): Kept {
    return this.#home.output;
  }

  /** Tokens in the KV cache and pending; a picture counts its rows. */
  get tokenCount(): number {
    return this.#content.tokenCount;
  }

  /** Where the next token stands for the rotary embedding; below `tokenCount` where pictures use M-RoPE. */
  get position(): number {
    return this.#content.position;
  }

  /** Not for callers: which tokens and pictures it holds. */
  get chain(): Content {
    return this.#content.chain;
  }

  /** Whether its lane is gone: every call but `release` is refused then. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /**
   * Appends the parts and decodes everything that is pending, beside whatever else runs in the context.
   *
   * @throws UsageError, AbortError, EngineError ERR_CACHE_FULL; what was appended stays pending
   */
  async prefill(parts: readonly NativePart[], options?: PrefillOptions): Promise<void> {
    const { signal } = parseOptions(prefillSchema, options, 'prefill options');
    this.#expectIdle('prefill');
    throwIfAborted(signal);
    const appended = this.append(parts);
    const coming = this.#coming;
    const task = new PrefillTask(this.id, (cellCount) => coming?.read(cellCount));
    coming?.begin();
    try {
      const run = this.tokenCount === 0 ? undefined : this.#run('prefill', task, signal);
      await allEnded([appended, ...(run === undefined ? [] : [run])]);
    } finally {
      coming?.end();
      this.#coming = undefined;
    }
    this.#content = allDecoded(this.#content);
  }

  /** Not for callers: what it will read, which others may wait for. */
  expect(coming: ComingPrefix): void {
    this.#coming = coming;
    coming.expect(this);
  }

  /** Queues input behind what is there; it is decoded with the next prefill or decode. */
  async append(parts: readonly NativePart[]): Promise<void> {
    this.#expectIdle('append');
    const filled = takeParts(parts);
    if (filled.length === 0) return;
    const before = this.#content;
    const after = withParts(before, filled);
    this.#content = after;
    try {
      await this.#native(() => this.#home.native.append(this.id, filled));
    } catch (error) {
      this.#content = withoutParts(this.#content, before, after);
      throw error;
    }
  }

  /**
   * Children that share every KV cell, the pending input and the logits of this sequence. Nothing is copied, and this
   * sequence may be released first.
   *
   * @param count at least 1
   * @throws EngineError ERR_SEQUENCE_LIMIT beyond the reservation; ERR_FORK_UNSUPPORTED
   */
  async fork(count: number): Promise<Sequence<Kept>[]> {
    this.#expectIdle('fork');
    if (!Number.isInteger(count) || count < 1) {
      throw new UsageError('ERR_INVALID_REQUEST', `Expected a fork count that is an integer >= 1, received ${count}.`);
    }
    const content = this.#content;
    return await this.#home.fork(this.id, count, (id) => new Sequence(this.#home, id, ofFork(content)));
  }

  /**
   * Samples tokens until an end-of-generation token, `maxTokens`, or an accepted pause. The last token sampled is pending
   * afterwards. A refused pause goes on with the same sampler and the same budget.
   *
   * @param contrast another sequence whose logits say what to draw away from; it is at work as long as this one
   * @throws UsageError; AbortError one step after the signal at the latest; EngineError ERR_CACHE_FULL, ERR_DECODE;
   *   whatever `accept`, `until` or `onText` threw. The sequence stays usable in each case.
   */
  async decode(this: Sequence<'logits'>, options: DecodeOptions, contrast?: Contrast): Promise<Decoded> {
    const parsed = parseOptions(decodeSchema, options, 'decode options');
    const { sampler, isContinued, maxTokens, signal, pause, until, onText } = parsed;
    const { logProbability: wantsLogProbability } = parsed;
    this.#expectIdle('decode');
    const context = withLogits(this.#home.native);
    if (pause !== undefined && !pause.set.belongsTo(context)) {
      throw new UsageError('ERR_INVALID_REQUEST', 'Expected a TokenSet of this context, received one of another.');
    }
    if (!this.#content.canSample) {
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        'Expected a sequence with something to go on from, received one that is empty or was just trimmed. Append first.',
      );
    }
    if (isContinued && !this.#hasSampler) {
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        'Expected a sequence that was decoded before, to go on with its sampler, received one that was not. Give it a sampler.',
      );
    }
    const other = contrast && this.#heldAgainst(contrast);
    throwIfAborted(signal);
    const text = new TokenText(this.#home.vocabulary, this.#content.rest);
    const task = new DecodeTask(this.id, {
      maxTokens,
      text,
      pause,
      until,
      onText,
      wantsLogProbability,
      contrast: other && { sequence: other.sequence.id, weight: other.weight },
    });
    const prepared = isContinued ? [] : [this.#prepare(context, nativeSampler(sampler, wantsLogProbability))];
    await allEnded([...prepared, this.#runBeside(other?.sequence, task, signal)]);
    const { tokens, logProbability, stopReason = 'length' } = task;
    for (const sequence of other === undefined ? [this] : [this, other.sequence])
      sequence.#content = withTokens(sequence.#content, tokens, text.rest);
    return { tokens, text: task.text, stopReason, logProbability };
  }

  /** @throws UsageError for what this sequence cannot be held against */
  #heldAgainst({ against, weight }: Contrast): {
    readonly sequence: Sequence<'logits'>;
    readonly weight: number;
  } {
    const isOther =
      against instanceof Sequence && against !== (this as Sequence<Output>) && against.#home === this.#home;
    if (!isOther || !against.#content.canSample)
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        'Expected as contrast another sequence of the same lease, with something to go on from, received none.',
      );
    against.#expectIdle('contrast');
    return { sequence: against, weight: parseOptions(contrastWeightSchema, weight, 'contrast weight') };
  }

  /** @param other takes part, and is as busy */
  async #runBeside(other: Sequence | undefined, task: Task, signal: AbortSignal | undefined): Promise<void> {
    if (other === undefined) return await this.#run('decode', task, signal);
    other.#busyWith = 'contrast';
    try {
      await this.#run('decode', task, signal);
    } catch (error) {
      if (!other.#isReleased) await other.#refresh().catch(() => undefined);
      throw error;
    } finally {
      other.#busyWith = undefined;
    }
  }

  /** Not awaited before the run: the addon works in call order, and decodes called together start in one step. */
  #prepare(context: NativeLogitsContext, sampler: NativeSamplerOptions): Promise<void> {
    const prepared = this.#native(() => context.setSampler(this.id, sampler));
    // Refused, nothing may be drawn with the sampler of an earlier call.
    prepared.then(
      () => {
        this.#hasSampler = true;
      },
      (error: Error) => this.#home.scheduler.cancel(this.id, error),
    );
    return prepared;
  }

  /**
   * Drops everything after the first `tokenCount` tokens, which count as {@link Sequence.tokenCount} has them: of pending input what
   * is among them stays pending. Where all that stays was decoded, append before decoding again.
   *
   * @throws UsageError for a count beyond the sequence or inside a picture; EngineError ERR_FORK_UNSUPPORTED where the
   *   model's memory cannot be cut
   */
  async trim(tokenCount: number): Promise<void> {
    this.#expectIdle('trim');
    if (!Number.isInteger(tokenCount) || tokenCount < 0 || tokenCount > this.tokenCount) {
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        `Expected a token count from 0 to ${this.tokenCount} to trim to, received ${tokenCount}.`,
      );
    }
    if (tokenCount === this.tokenCount) return;
    this.#busyWith = 'trim'; // what it holds is known only afterwards
    try {
      await this.#native(() => this.#home.native.trim(this.id, tokenCount));
      const facts = await this.#native(() => this.#home.native.sequence(this.id));
      this.#content = contentOf(facts, cutChain(this.#content.chain, tokenCount));
      this.#home.onCut();
    } finally {
      this.#busyWith = undefined;
    }
  }

  /** Decodes what is pending and gives KV cells and logits as bytes, for {@link Lease.restore}. */
  async save(options?: PrefillOptions): Promise<Uint8Array> {
    await this.prefill([], options);
    return new Uint8Array(await this.#native(() => this.#home.native.save(this.id)));
  }

  /** Decodes what is pending and gives the logits of the last token, shape [vocabularySize]. */
  async logits(this: Sequence<'logits'>, options?: PrefillOptions): Promise<Float32Array> {
    const context = withLogits(this.#home.native);
    await this.prefill([], options);
    return await this.#native(() => context.logits(this.id));
  }

  /**
   * Decodes what is pending and gives the hidden state of the last token, behind the model's last norm: shape
   * [embeddingSize]. For a context with output 'hidden-state'.
   */
  async hiddenState(this: Sequence<'hidden-state'>, options?: PrefillOptions): Promise<Float32Array> {
    const context = withHiddenState(this.#home.native);
    await this.prefill([], options);
    return await this.#native(() => context.hiddenState(this.id));
  }

  /**
   * Keeps what it holds, pending input aside, for requests to come: whoever begins alike with
   * {@link Context.begin} starts from it, until its cells are wanted or the context forgets. Nothing is copied; it costs a lane that nobody else
   * wants. The call does not occupy the sequence, which may go on or be released at once. One that was restored, or
   * failed, is not kept, nor is one whose context is disposed of meanwhile.
   *
   * @throws UsageError in the middle of other work, or once released
   */
  async keep(): Promise<void> {
    this.#expectIdle('keep');
    await this.#native(() => this.#home.keep(this.id, this.#content.chain));
  }

  /** Frees the lane; cells shared with living forks stay. Ends work in progress with ERR_DISPOSED. Idempotent. */
  async release(): Promise<void> {
    await this.#home.release([this]);
  }

  /** `await using` calls it at the end of its block: the same as `release()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** Not for callers: the lease says that the lane is gone. False when it was already. */
  markReleased(): boolean {
    if (this.#isReleased) return false;
    this.#isReleased = true;
    const error = new UsageError('ERR_DISPOSED', 'The sequence was released while it was at work.');
    this.#home.scheduler.cancel(this.id, error);
    return true;
  }

  /** Not for callers: a sequence whose content the addon knows. */
  static async adopt<Kept extends Output>(
    home: SequenceHome<Kept>,
    id: number,
    chain: Content,
  ): Promise<Sequence<Kept>> {
    return new Sequence(home, id, contentOf(await native(() => home.native.sequence(id)), chain));
  }

  async #run(name: string, task: Task, signal: AbortSignal | undefined): Promise<void> {
    this.#busyWith = name;
    try {
      await this.#home.scheduler.run(task, signal);
    } catch (error) {
      if (!this.#isReleased) await this.#refresh().catch(() => undefined); // a disposed context has nothing to tell
      throw error;
    } finally {
      this.#busyWith = undefined;
    }
  }

  /** What a failed run left. */
  async #refresh(): Promise<void> {
    const counted = this.#content;
    this.#content = recounted(counted, await this.#native(() => this.#home.native.sequence(this.id)));
  }

  /** A call on the addon's thread: a run in progress makes room for it. */
  async #native<Value>(call: () => Promise<Value>): Promise<Value> {
    this.#home.scheduler.interrupt();
    return await native(call);
  }

  #expectIdle(what: string): void {
    if (this.#isReleased) {
      throw new UsageError('ERR_DISPOSED', `Expected a living sequence for ${what}, received one that was released.`);
    }
    if (this.#busyWith !== undefined) {
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        `Expected an idle sequence for ${what}, received one in the middle of ${this.#busyWith}. Await that first, or fork.`,
      );
    }
  }
}
