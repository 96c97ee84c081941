/** What the main thread and the evaluator thread say to each other. */
import type { SharedPicture } from '../shared-picture.js';
import type { CacheLayout } from './cache-layout.js';
import type { Provider } from './provider.js';

/** How a picture becomes the tensor of a vision graph; see image-tensor.ts. */
export interface ImageTensorShape {
  /** Side of the square, in pixels. */
  readonly imageSize: number;
  readonly resample: 'bicubic' | 'bilinear';
  readonly crop: 'center' | 'center-rounded' | 'squash';
  /** Per channel, of values in 0 to 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** One input of a run. `data` is transferred: the sender's array is empty afterwards; a picture's is shared. */
export type Feed =
  | { readonly type: 'float32' | 'int64'; readonly data: ArrayBuffer; readonly dims: readonly number[] }
  | { readonly type: 'image'; readonly image: SharedPicture; readonly shape: ImageTensorShape };

/**
 * A run of one graph. Caches live in the evaluator thread under numbers that the main thread chooses; they never cross.
 * `past` gives the first `length` positions of a cache (`cache: null`: an empty one); `keep` stores the first `length`
 * positions of the cache after the run.
 */
export interface RunMessage {
  readonly kind: 'run';
  readonly session: number;
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly outputs: readonly string[];
  readonly past?: { readonly cache: number | null; readonly length: number };
  readonly keep?: { readonly cache: number; readonly length: number };
}

interface OpenMessage {
  readonly kind: 'open';
  readonly session: number;
  readonly path: string;
  readonly cache: CacheLayout | null;
  readonly provider: Provider;
}

export type WorkerMessage =
  | OpenMessage
  | { readonly kind: 'probe'; readonly provider: Provider }
  | RunMessage
  | { readonly kind: 'close'; readonly session: number }
  | { readonly kind: 'drop'; readonly session: number; readonly cache: number }
  | { readonly kind: 'stop' };

/** Name and element type of a graph's input or output. */
interface ValueFact {
  readonly name: string;
  readonly type: string;
}

export interface OutputTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

export interface OpenReply {
  readonly inputs: readonly ValueFact[];
  readonly outputs: readonly ValueFact[];
}

export interface RunReply {
  readonly outputs: Readonly<Record<string, OutputTensor>>;
  /** Time inside the graph, in milliseconds. */
  readonly runMs: number;
}

/** What a probe found: why the provider cannot be used here, or null. */
export interface ProbeReply {
  readonly refusal: string | null;
}

/** What a message is answered with. */
export type Reply = OpenReply | ProbeReply | RunReply | null;

/** Answers to open, probe, run and close come in the order of the questions; `ready` comes once, first. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly value: Reply }
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** Where it is no failure of the graph's or of onnxruntime's: the system gives no more threads. */
      readonly lacksThreads?: boolean;
    };

export interface WorkerStart {
  readonly threadCount: number;
  /** Two 32-bit words, see {@link BUSY} and {@link STOPPING}. */
  readonly state: SharedArrayBuffer;
}

/** Word of the shared state: 1 while the thread is inside onnxruntime. */
export const BUSY = 0;
/** Word of the shared state: 1 once the process is exiting; onnxruntime is not entered again. */
export const STOPPING = 1;
