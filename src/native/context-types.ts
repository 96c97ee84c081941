/** A context: a KV cache, and the sequences in it. */
import type { NativeImage } from './image-types.js';
import type { NativeRunOptions, NativeRunReport, NativeSamplerOptions } from './run-types.js';

export interface NativeContextOptions {
  /** KV cells shared by all sequences (n_ctx), >= 1; llama.cpp rounds up to 256. */
  readonly cellCount: number;
  /** Sequences that may be alive at once, 1 to 256. */
  readonly sequenceCount: number;
  /** Rows of one step at most (n_batch), >= 1. */
  readonly batchSize: number;
  /** Rows computed at once (n_ubatch), 1 to batchSize. Raised by the addon where non-causal images need it. */
  readonly microBatchSize: number;
  /** Threads of a step, >= 1. */
  readonly threadCount: number;
  /** Whether fewer than `threadCount` may compute a step, as many as are found to be fastest while it runs. */
  readonly measuresThreads: boolean;
  readonly flashAttention: 'auto' | 'on' | 'off';
  readonly cacheType: 'f32' | 'f16' | 'q8_0';
  /**
   * What a sequence keeps of its last row: 'logits' to draw tokens from, or 'hidden-state', behind the model's last norm,
   * for heads of one's own; then a step that ends an input computes every row's output.
   */
  readonly output: 'logits' | 'hidden-state';
  /**
   * For 'hidden-state': the layer, 1 to layerCount - 1, behind which the state is taken, in the place of that behind the last
   * norm. Not where `isRecurrent` or `isHybrid` (INVALID_ARGUMENT). A run rejects with DECODE_FAILED where llama.cpp names no
   * such state.
   */
  readonly layer?: number | undefined;
  /** Added to every row's state behind a layer. Default: nothing. */
  readonly steering?: NativeSteering | undefined;
}

export interface NativeSteering {
  /** 1 to layerCount - 1. */
  readonly layer: number;
  /** embeddingSize finite numbers. */
  readonly vector: Float32Array;
}

/** What llama.cpp made of the options of a context. */
export interface NativeContextFacts {
  /** KV cells, rounded up to 256. */
  readonly cellCount: number;
  /** Sequences that may be alive at once. */
  readonly sequenceCount: number;
  /** Rows of one step at most. */
  readonly batchSize: number;
  /** Rows computed at once; raised where images attend without the causal mask. */
  readonly microBatchSize: number;
  /** False for recurrent and hybrid memory: forks share the tail only. */
  readonly forksAnywhere: boolean;
}

/** What a context holds now, and has done so far. */
export interface NativeContextStatistics {
  /** KV cells in use; a shared one counts once. */
  readonly usedCellCount: number;
  /** Sequences alive. */
  readonly liveSequenceCount: number;
  /** Pictures decoded so far. */
  readonly imageCount: number;
  /** Calls of llama_decode so far. */
  readonly stepCount: number;
  /** Rows computed so far. */
  readonly rowCount: number;
  /** Children made so far. */
  readonly forkCount: number;
  /** Milliseconds in llama_decode so far. */
  readonly decodeMs: number;
  /** Milliseconds in drawing tokens so far. */
  readonly sampleMs: number;
  /** Threads that computed the last step; 0 before the first. */
  readonly threadCount: number;
}

export interface NativeSequenceFacts {
  readonly tokenCount: number;
  readonly position: number;
  readonly pendingCount: number;
  /** Whether its last row's output is there: the next token can be sampled, or the hidden state read, without a decode. */
  readonly hasOutput: boolean;
}

/** A part of a prompt: tokens, or a picture. */
export type NativePart = Int32Array | NativeImage;

/** What both kinds of context can do. */
interface NativeAnyContext {
  readonly facts: NativeContextFacts;

  /** A new, empty sequence; rejects with SEQUENCE_LIMIT. */
  createSequence(): Promise<number>;

  /** Queues input behind what is already pending. Nothing is decoded before the next `run`. */
  append(sequence: number, parts: readonly NativePart[]): Promise<void>;

  /**
   * `count` children that share every KV cell of the parent (metadata only, nothing is copied), its pending input and the
   * logits of its last token. They have no sampler yet. All or none: SEQUENCE_LIMIT leaves nothing behind.
   */
  fork(sequence: number, count: number): Promise<Int32Array>;

  /**
   * Drops everything after the first `tokenCount` tokens, KV cells first and pending input behind them. Where no input is
   * pending afterwards the logits are gone: append at least one token before generating. A cut inside an image is refused
   * (INVALID_ARGUMENT). A restored sequence of a model
   * with windowed attention keeps what was restored, or nothing (FORK_UNSUPPORTED): llama.cpp saves the last window alone.
   */
  trim(sequence: number, tokenCount: number): Promise<void>;

  /** Frees the ids. Cells shared with a living fork stay. Unknown ids reject with UNKNOWN_SEQUENCE and release nothing. */
  release(sequences: readonly number[]): Promise<void>;

  /**
   * Takes up to `stepBudget` steps. Each step packs one batch: the pending token of every generating sequence first, then
   * pending text of the others up to `batchSize`; an image takes steps of its own, in turns with the texts, as many as
   * `batchSize` asks for; they happen all or not at all: where one fails, the image is pending as a whole again. Its rows
   * are one step where they see each other (`usesNonCausalImages`). Sequences with
   * the same content that have not diverged since their fork share their rows. Returns as soon as one sequence reaches a
   * state other than `running` (after the step in which it did), the budget is used, or `interrupt()` is called.
   * When a step fails, nothing of it stays: every sequence, its pending input and the modes of the context are as before it.
   * Where nothing was brought yet, neither a step nor a token, the call rejects with DECODE_FAILED; otherwise it returns
   * what was, and the next call finds the failure, if it is still there, in its first step.
   * Sampling an entry without sampler, or an empty sequence, rejects (INVALID_ARGUMENT, NOTHING_TO_SAMPLE) before any step.
   */
  run(options: NativeRunOptions): Promise<NativeRunReport>;

  /** Ends the run in progress at its next step boundary. Safe at any time, from the caller's thread. */
  interrupt(): void;

  sequence(sequence: number): Promise<NativeSequenceFacts>;

  /** KV cells, counts and logits of a sequence as bytes. Refuses while input is pending. */
  save(sequence: number): Promise<ArrayBuffer>;
  /** A new sequence with that content. STATE_MISMATCH when the bytes are not of this model and context form. */
  restore(bytes: Uint8Array): Promise<number>;

  statistics(): Promise<NativeContextStatistics>;
  dispose(): Promise<void>;
}

/** A context that tokens are drawn in. */
export interface NativeLogitsContext extends NativeAnyContext {
  readonly output: 'logits';

  setSampler(sequence: number, options: NativeSamplerOptions): Promise<void>;

  /** Tokens of a pause set; the id is valid for the life of the context. */
  createTokenSet(tokens: Int32Array): Promise<number>;

  /** Logits of the last token, or rejects with NOTHING_TO_SAMPLE. Shape [vocabularySize]. */
  logits(sequence: number): Promise<Float32Array>;
}

/** A context for heads of one's own. It has no samplers, so a run of it draws nothing. */
export interface NativeHiddenStateContext extends NativeAnyContext {
  readonly output: 'hidden-state';

  /** Hidden state of the last token, or rejects with NOTHING_TO_SAMPLE. Shape [embeddingSize]. */
  hiddenState(sequence: number): Promise<Float32Array>;
}

/** `output` tells which. */
export type NativeContext = NativeLogitsContext | NativeHiddenStateContext;
