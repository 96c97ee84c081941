/**
 * What the addon exports. Its whole surface, with what a signature cannot say, is this file and those beside it whose names
 * end in `-types`: of models, contexts, runs, images and errors.
 *
 * Rules that hold for every method:
 * - Nothing heavy runs on the caller's thread. Each model owns one native thread; methods that return a promise queue
 *   their work there, in call order, for the model and for all of its contexts.
 * - Every argument is checked before llama.cpp sees it, because llama.cpp aborts the process instead of throwing. What
 *   is refused is an `Error` with a `code` (`NativeErrorCode`): argument errors are thrown at once, the others reject the
 *   promise.
 * - After `dispose()` every method refuses with `DISPOSED`. Dispose is idempotent, interrupts a running step, waits for
 *   queued work to be refused and resolves once the memory is free. An object that is garbage collected, or whose
 *   environment ends (worker thread, process exit), is disposed of in the same way.
 * - A token is a vocabulary index. A **position** is what the model's rotary embedding counts; a **token count** is what
 *   the KV cache holds. They differ for images under M-RoPE.
 */
import type { NativeLoad, NativeModelOptions } from './model-types.js';

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
