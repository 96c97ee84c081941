/**
 * The whole surface of the native addon, typed in one place, with what a signature cannot say.
 *
 * Rules that hold for every method:
 * - Nothing heavy runs on the caller's thread. Each model owns one native thread; methods that return a promise queue
 *   their work there, in call order, for the model and for all of its contexts.
 * - Every argument is checked before llama.cpp sees it, because llama.cpp aborts the process instead of throwing. What
 *   is refused is an `Error` with a `code` (see {@link NativeErrorCode}): argument errors are thrown at once, the others
 *   reject the promise.
 * - After `dispose()` every method refuses with `DISPOSED`. Dispose is idempotent, interrupts a running step, waits for
 *   queued work to be refused and resolves once the memory is free. An object that is garbage collected, or whose
 *   environment ends (worker thread, process exit), is disposed of in the same way.
 * - A token is a vocabulary index. A **position** is what the model's rotary embedding counts; a **token count** is what
 *   the KV cache holds. They differ for images under M-RoPE.
 */

/** Stable codes of errors thrown by the addon. */
export type NativeErrorCode =
  | 'INVALID_ARGUMENT' // an argument is missing, of the wrong type or out of range; the message names it
  | 'MODEL_LOAD_FAILED' // the language model cannot be loaded; llama.cpp's own reason is appended
  | 'PROJECTOR_LOAD_FAILED' // the projector cannot be loaded or belongs to another model; reason appended
  | 'CANCELLED' // `cancel()` of a load, an encoding or a tokenizing was called
  | 'TEXT_TOO_LONG' // a text takes more tokens than `maxTokens`
  | 'CONTEXT_FAILED' // the context cannot be made, or found no memory for what a call asks of it
  | 'NO_PROJECTOR' // an image was given to a model without vision
  | 'IMAGE_FAILED' // the image cannot be preprocessed or encoded
  | 'SEQUENCE_LIMIT' // all `sequenceCount` sequences are in use
  | 'UNKNOWN_SEQUENCE' // the id was never created, or has been released
  | 'CACHE_FULL' // the KV cache has no room for what must be decoded
  | 'FORK_UNSUPPORTED' // this model's memory (recurrent, hybrid) cannot be forked or trimmed at this place
  | 'NOTHING_TO_SAMPLE' // generation was asked of a sequence that has no logits (empty, or trimmed)
  | 'DECODE_FAILED' // llama.cpp failed while it computed, or found no memory for it; the sequences stand as before
  | 'STATE_MISMATCH' // saved sequence bytes are truncated or come from another model or context
  | 'OUT_OF_MEMORY' // a device has no memory for what was asked; the message has the figures
  | 'NO_THREADS' // the system gives no more threads; the message has how many were wanted
  | 'DEVICE_FAILED' // a device that a model is to lie on does not open; the message has its driver's words
  | 'DEVICE_LOST' // the device stopped to work under way; everything that was loaded on it is gone
  | 'DISPOSED'; // the object was disposed of

/** A device that llama.cpp can compute on. */
export interface NativeBackendDevice {
  /** Name of the ggml device, such as "CPU", "CUDA0", "Metal". */
  readonly name: string;
  /** As its maker calls it. */
  readonly description: string;
  /** What it is; an integrated GPU shares the processor's memory. */
  readonly type: 'cpu' | 'gpu' | 'integrated-gpu' | 'accelerator';
  /** Of its memory, what is free now. */
  readonly memoryFreeBytes: number;
  /** All of its memory. */
  readonly memoryTotalBytes: number;
}

interface NativeBuildFacts {
  /** Of this file: BINDING_VERSION of src/native/llama-version.ts. */
  readonly bindingVersion: number;
  /** llama.cpp tag the addon was compiled from. */
  readonly llamaTag: string;
  /** 'source' or 'prebuilt': where the llama.cpp libraries came from. */
  readonly route: string;
  /** Backends compiled in or loaded by now, such as ["CPU", "CUDA"]. */
  readonly backends: readonly string[];
  /** llama.cpp's line of CPU features, for `doctor`. */
  readonly systemInfo: string;
}

/** Silent by default; levels print llama.cpp's own log lines to stderr, never to stdout. Process-wide, like llama.cpp's. */
type NativeLogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

export interface NativeModelOptions {
  /** Path of the language model's GGUF. */
  readonly modelPath: string;
  /** Path of the projector's GGUF (mmproj); without it the model takes text only. */
  readonly projectorPath?: string;
  /** Name of the ggml device that layers and projector are put on; without it llama.cpp takes all GPUs. Not the CPU's. */
  readonly device?: string;
  /** Layers to put on the GPU, -1 to 100000; 0 = CPU only, -1 = all. */
  readonly gpuLayerCount: number;
  /** Whether the projector may use the GPU. */
  readonly projectorOnGpu: boolean;
  /** Threads of the image encoder and default for contexts, >= 1. */
  readonly threadCount: number;
  readonly useMmap: boolean;
  readonly useMlock: boolean;
}

/** What a model's file says of it. */
export interface NativeModelFacts {
  /** llama.cpp's one-line description, such as "llama 7B Q4_0". */
  readonly description: string;
  /** general.architecture of the GGUF. */
  readonly architecture: string;
  /** Of all weights. */
  readonly sizeBytes: number;
  /** Weights. */
  readonly parameterCount: number;
  /** Tokens that it knows: length of its logits. */
  readonly vocabularySize: number;
  /** Length of its hidden states. */
  readonly embeddingSize: number;
  /** Layers, the output's not counted. */
  readonly layerCount: number;
  /** Context length the model was trained with, in tokens. */
  readonly trainedContextLength: number;
  /** Sliding attention window in tokens, 0 = none. */
  readonly slidingWindow: number;
  /** Begins a prompt; null where the vocabulary has none. */
  readonly beginToken: number | null;
  /** Ends a text; null where the vocabulary has none. */
  readonly endToken: number | null;
  /** Ends a turn of a conversation; null where the vocabulary has none. */
  readonly endOfTurnToken: number | null;
  /** Whether a prompt starts with `beginToken`. */
  readonly addsBeginToken: boolean;
  /** Every token that ends generation, ascending. */
  readonly endOfGenerationTokens: Int32Array;
  /** Recurrent or hybrid memory: `forksAnywhere` is false then. */
  readonly isRecurrent: boolean;
  /** Recurrent in some layers, attention in the others. */
  readonly isHybrid: boolean;
  /** Chat template stored in the GGUF (Jinja), or null. */
  readonly chatTemplate: string | null;
  /** Text of the begin token, for chat templates; "" when there is none. */
  readonly beginText: string;
  /** Text of the end token, for chat templates; "" when there is none. */
  readonly endText: string;
  /** Whether it takes pictures: it was loaded with a projector. */
  readonly hasVision: boolean;
  /** M-RoPE: image positions differ from image tokens. */
  readonly usesMrope: boolean;
  /** Image tokens attend to each other without the causal mask (Gemma 3 and others). */
  readonly usesNonCausalImages: boolean;
  /** All metadata of the GGUF as text, key by key (arrays are abbreviated by llama.cpp). */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A load in progress. */
export interface NativeLoad {
  readonly model: Promise<NativeModel>;
  /** Makes `model` reject with CANCELLED as soon as llama.cpp asks whether to go on. */
  cancel(): void;
}

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
   * norm. Not where `isRecurrent` or `isHybrid` (INVALID_ARGUMENT). A run rejects with DECODE_FAILED
   * where llama.cpp names no such state.
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

/** An encoded picture. Keeps the embeddings in main memory until disposed of; usable in every context of its model. */
export interface NativeImage {
  /** KV cells it takes (image rows plus the text rows that the model puts around or between tiles). */
  readonly tokenCount: number;
  /** Positions it takes; equals tokenCount unless the model uses M-RoPE. */
  readonly positionCount: number;
  /** Main memory that its embeddings, and its tokens of text, take until it is disposed of. */
  readonly embeddingBytes: number;
  /** Frees them; what was read of them stays in the cache. Idempotent. */
  dispose(): void;
}

/** An encoding, queued or in progress. */
export interface NativeEncoding {
  readonly image: Promise<NativeImage>;
  /** Makes `image` reject with CANCELLED: before it begins, or within one block of the encoder or of the table. */
  cancel(): void;
}

export interface NativeSamplerOptions {
  /** 0 = greedy (first of equal maxima). Otherwise logits are divided by it. */
  readonly temperature: number;
  /** Keep the k largest, 0 = all. Applied before the softmax. */
  readonly topK: number;
  /** Nucleus, in (0, 1]; 1 = off. */
  readonly topP: number;
  /** Relative minimum probability, in [0, 1]; 0 = off. */
  readonly minP: number;
  /** Seed of this sequence's own generator, unsigned 32 bits. */
  readonly seed: number;
  /** Whether runs report `logProbabilities`: a greedy draw then takes a pass of exponentials over the vocabulary more. */
  readonly wantsLogProbabilities: boolean;
}

export interface NativeRunEntry {
  readonly sequence: number;
  /** Tokens to sample at most in this call; 0 = only decode what is pending (a prefill). */
  readonly maxTokens: number;
  /** Id from `createTokenSet`: sampling one of its tokens pauses the sequence. -1 = never. */
  readonly pauseSet: number;
  /**
   * Another sequence that takes the same tokens: each is drawn from logits + weight × (logits − its logits). It is no entry
   * of its own, and has a result of its own. Default: none.
   */
  readonly contrast?: NativeContrast | undefined;
}

export interface NativeContrast {
  readonly sequence: number;
  /** From 0 to 1e6. */
  readonly weight: number;
}

interface NativeRunOptions {
  readonly entries: readonly NativeRunEntry[];
  /** Steps (calls of llama_decode) after which this call returns, >= 1. */
  readonly stepBudget: number;
  /**
   * Milliseconds, >= 1: the call returns before a step that would end later than that after its begin, if it took as long
   * as the one before it. It takes one step in any case. Default: no limit.
   */
  readonly budgetMs?: number;
  /**
   * Takes what a spent budget brought, and the call goes on with a new one; it returns there all the same where another call
   * waits for the model's thread. What a report had is not told again; all are told before the call settles. Default: the
   * call returns.
   */
  readonly onReport?: (report: NativeRunReport) => void;
}

/** What came of each entry lies in arrays for all of them; `resultsOf` (src/native/run-results.ts) reads them. */
export interface NativeRunReport {
  /** Seven numbers an entry, in their order. */
  readonly rows: Int32Array;
  /** Tokens sampled in this call, those of the first entry first. */
  readonly tokens: Int32Array;
  /**
   * Log probability of each, under the distribution it was drawn from (greedy: under the plain softmax). Of entries alone
   * whose sampler wants them.
   */
  readonly logProbabilities: Float32Array;
  /** Steps taken, rows computed, and rows saved because undiverged sequences shared them. */
  readonly stepCount: number;
  readonly rowCount: number;
  readonly sharedRowCount: number;
  /** Milliseconds in llama_decode and in sampling. */
  readonly decodeMs: number;
  readonly sampleMs: number;
  /** True when `interrupt()` ended the call early. */
  readonly wasInterrupted: boolean;
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

/** UTF-8 bytes of every token, as `tokenBytes` gives them: token t is `bytes[starts[t]] .. bytes[starts[t + 1]]`. */
interface NativeVocabulary {
  readonly bytes: Uint8Array;
  /** vocabularySize + 1 offsets. */
  readonly starts: Int32Array;
}

export interface NativeTextPiece {
  readonly text: string;
  /** Text such as "</s>" becomes the token. */
  readonly parseSpecial: boolean;
}

export interface NativeTokenizeOptions {
  /** The first piece stands behind other text: SentencePiece puts no space before it. */
  readonly isContinued: boolean;
  /** More are refused with TEXT_TOO_LONG, before tokenising where the length alone tells. */
  readonly maxTokens: number;
  /** Bytes after which a text is cut at the next place that no token reaches across, >= 1. */
  readonly sliceBytes: number;
}

interface NativeTokenizing {
  readonly tokens: Promise<Int32Array>;
  /** Makes `tokens` reject with CANCELLED after the slice under way. */
  cancel(): void;
}

export interface NativeModel {
  readonly facts: NativeModelFacts;
  /**
   * Tokens of texts that stand one behind the other, without begin token, as if they were one text; where words hold the
   * text of a control token, or would form one at a seam, each is tokenised for itself. Runs on a thread of its own, a
   * slice of every waiting text at a time.
   */
  tokenize(pieces: readonly NativeTextPiece[], options: NativeTokenizeOptions): NativeTokenizing;
  /** UTF-8 bytes of one token; may be part of a character. Special tokens give "" unless `renderSpecial`. */
  tokenBytes(token: number, renderSpecial: boolean): Uint8Array;
  /** The bytes of all tokens at once, read on the model's thread. */
  vocabulary(renderSpecial: boolean): Promise<NativeVocabulary>;
  /**
   * Encodes RGB (8 bits, row-major, width * height * 3 bytes). Read in place when it lies in a SharedArrayBuffer, which
   * must not change until the promise settles; else copied before the call returns.
   */
  encodeImage(image: { readonly data: Uint8Array; readonly width: number; readonly height: number }): NativeEncoding;
  /**
   * The same picture with the token of text in the place of each row whose embedding has the largest cosine with it, of equal
   * ones the first; control tokens are none of them. Its positions are those of text. MODEL_LOAD_FAILED where the model's
   * file has no table of token embeddings.
   */
  nearestText(image: NativeImage): NativeEncoding;
  createContext(options: NativeContextOptions & { readonly output: 'logits' }): Promise<NativeLogitsContext>;
  createContext(options: NativeContextOptions & { readonly output: 'hidden-state' }): Promise<NativeHiddenStateContext>;
  createContext(options: NativeContextOptions): Promise<NativeContext>;
  /** Disposes of its contexts and images too. */
  dispose(): Promise<void>;
}

/** An onnxruntime that is loaded in this process, by whom ever. */
export interface LoadedOnnxruntime {
  readonly path: string;
  /** Such as "1.30.0". */
  readonly version: string;
}

export interface NativeBinding {
  /** Read anew each time. */
  readonly build: NativeBuildFacts;
  devices(): readonly NativeBackendDevice[];
  setLogLevel(level: NativeLogLevel): void;
  /** A variable of the process's own environment, or null. In a worker thread `process.env` is only a copy of it. */
  variable(name: string): string | null;
  setVariable(name: string, value: string): void;
  loadedOnnxruntimes(): readonly LoadedOnnxruntime[];
  /**
   * That the system gives so many threads more: they are begun, all at once, and ended. For a library that takes it for
   * granted, on a thread that may wait for milliseconds.
   *
   * @param count 0 to 1024
   * @throws NO_THREADS
   */
  checkThreads(count: number): void;
  /**
   * Gives pages that nothing lies in any more back to the system, which glibc's malloc keeps otherwise; on a thread of its
   * own. Does nothing with another C library.
   */
  returnMemory(): Promise<void>;
  /**
   * Ends the process at once and waits for none of its threads, where Node would wait for ever for one that never comes
   * back from a library. Of what is written to a pipe some may be lost.
   *
   * @param code of its exit, 0 to 255
   */
  endProcess(code: number): never;
  /**
   * Blocks this thread until no other of the process is inside a device of onnxruntime's (two sessions that run at once
   * on WebGPU crash), and keeps the others out until {@link leaveDevice}. At once where this thread is inside already.
   * Nothing can end a thread that is blocked, so the wait is short, and its caller tries again: from a function of its own,
   * where V8 looks whether the thread is to end.
   *
   * @param atMostMs 0 to 60000
   * @returns whether this thread is inside now
   */
  enterDevice(atMostMs: number): boolean;
  /** Lets the next thread in; does nothing where this one is not inside. */
  leaveDevice(): void;
  /**
   * Adds the backends of a folder, of several for the processor the best one, unless the process has one for the processor
   * already. Only in builds with loadable backends. Returns the folder that it has it from, null where it has none.
   */
  loadBackends(folder: string): string | null;
  /** Adds a ggml backend from a shared library, once; only in builds with loadable backends. Returns its name. */
  loadBackend(path: string): string;
  /** `onProgress` gets a fraction from 0 to 1 on the caller's thread. */
  loadModel(options: NativeModelOptions, onProgress?: (fraction: number) => void): NativeLoad;
}
