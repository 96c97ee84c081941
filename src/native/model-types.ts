/** A model: what its files say of it, its texts and tokens, and what is made in it. */
import type {
  NativeContext,
  NativeContextOptions,
  NativeHiddenStateContext,
  NativeLogitsContext,
} from './context-types.js';
import type { NativeEncoding, NativeImage } from './image-types.js';

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
