/** The main thread's side of the evaluator thread: what it can be asked, and an end that never aborts the process. */
import type { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { physicalCoreCount } from '../cores.js';
import { EvaluatorError, throwIfAborted, UsageError } from '../errors.js';
import { integer, parseOptions } from '../options.js';
import type { CacheLayout } from './cache-layout.js';
import { awaitOutside, spawn } from './evaluator-thread.js';
import { damagedRuntime, missingRuntime } from './missing-runtime.js';
import type { Provider } from './provider.js';
import { keepTelemetryOff } from './telemetry.js';
import { ThreadQueue } from './thread-queue.js';
import type { Feed, OpenReply, ProbeReply, RunMessage, RunReply, WorkerReply } from './worker-messages.js';

const startSchema = z.strictObject({
  threadCount: integer(1, 256).optional(),
});

/** What the evaluator thread is started with. */
export interface EvaluatorWorkerOptions {
  /** Threads of each graph, 1 to 256. @default physical cores, at least 1 and at most 4 */
  threadCount?: number | undefined;
}

/** A graph to be opened. */
export interface GraphPlace {
  readonly path: string;
  readonly cache: CacheLayout | null;
  readonly provider: Provider;
}

/**
 * One thread that holds every ONNX session. It keeps the process alive only while work is queued or running, so a script
 * that forgets {@link dispose} still ends; `process.exit()` waits for the run in progress, because onnxruntime aborts a
 * process that ends inside it.
 */
export class EvaluatorWorker {
  readonly #worker: Worker;
  readonly #state: Int32Array;
  #closing: Promise<void> | undefined;
  #failure: EvaluatorError | undefined;
  #nextId = 1;

  #isReady = false;
  #readied: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  readonly #queue = new ThreadQueue({
    refusal: () => (this.#closing === undefined ? this.#failure : disposed()),
    post: (message, moved) => this.#worker.postMessage(message, moved),
    onChange: () => this.#hold(),
    onReturn: (orphans) => {
      if (this.#closing !== undefined) this.#worker.postMessage({ kind: 'stop' });
      else for (const session of orphans) this.close(session).catch(() => undefined); // it ended meanwhile
    },
  });

  /** Threads that each graph runs on. */
  readonly threadCount: number;
  /** Settles when onnxruntime is loaded in the thread. @throws EvaluatorError ERR_EVALUATOR when it does not load */
  readonly ready: Promise<void>;

  /**
   * Starts the thread and loads onnxruntime in it.
   *
   * @throws UsageError for a wrong option, EvaluatorError ERR_EVALUATOR when onnxruntime-node does not load, EngineError
   * ERR_THREADS, or in a worker thread without the addon
   */
  static async start(options?: EvaluatorWorkerOptions): Promise<EvaluatorWorker> {
    const worker = EvaluatorWorker.begin(options);
    await worker.ready;
    return worker;
  }

  /**
   * As {@link start}, without waiting: what is asked meanwhile is done as soon as onnxruntime is loaded. Whoever calls it
   * hears of {@link ready}.
   *
   * @throws as {@link start}, what {@link ready} throws apart
   */
  static begin(options?: EvaluatorWorkerOptions): EvaluatorWorker {
    const { threadCount = Math.min(4, physicalCoreCount()) } = parseOptions(
      startSchema,
      options,
      'EvaluatorWorker.start options',
    );
    const damage = damagedRuntime();
    if (damage !== undefined) throw new EvaluatorError('ERR_EVALUATOR', damage);
    keepTelemetryOff();
    return new EvaluatorWorker(threadCount);
  }

  private constructor(threadCount: number) {
    this.threadCount = threadCount;
    const shared = new SharedArrayBuffer(8);
    this.#state = new Int32Array(shared);
    this.#worker = spawn({ threadCount, state: shared });
    this.ready = new Promise<void>((resolve, reject) => {
      this.#readied = { resolve, reject };
    });
    this.ready.catch(() => undefined); // it is no failure of its own where nobody waits
    process.on('exit', this.#drain);
    this.#worker.on('message', (reply: WorkerReply) => this.#hear(reply));
    this.#worker.on('error', (error) => this.#fail('failed', error));
    this.#worker.on('messageerror', () => this.#queue.settle({ kind: 'failed', message: 'the reply cannot be read' }));
    this.#worker.on('exit', () => this.#fail('ended'));
  }

  /** A number that no other session or cache of this worker has. */
  nextId(): number {
    return this.#nextId++;
  }

  /**
   * Nothing can stop onnxruntime while it opens a graph. The signal is heard all the same: what is opened is closed later.
   *
   * @throws EvaluatorError with onnxruntime's message when the graph does not load; AbortError at once
   */
  async open(session: number, graph: GraphPlace, signal?: AbortSignal): Promise<OpenReply> {
    const reply = (await this.#queue.ask({ kind: 'open', session, ...graph }, [], signal)) as OpenReply;
    if (signal?.aborted) await this.close(session);
    throwIfAborted(signal);
    return reply;
  }

  /**
   * Whether a provider starts on this machine and computes a small graph rightly.
   *
   * @returns why not, or null
   * @throws AbortError at once
   */
  async probe(provider: Provider, signal?: AbortSignal): Promise<string | null> {
    const reply = (await this.#queue.ask({ kind: 'probe', provider }, [], signal)) as ProbeReply;
    throwIfAborted(signal);
    return reply.refusal;
  }

  /**
   * Runs a graph. `data` of the feeds is transferred: their arrays are empty afterwards.
   * A queued run leaves the queue when the signal fires; one that has begun goes to its end first.
   *
   * @throws AbortError, EvaluatorError ERR_EVALUATOR, UsageError ERR_DISPOSED
   */
  async run(message: Omit<RunMessage, 'kind'>, signal?: AbortSignal): Promise<RunReply> {
    const moved = Object.values(message.feeds).flatMap((feed: Feed) => (feed.type === 'image' ? [] : [feed.data]));
    const reply = (await this.#queue.ask({ kind: 'run', ...message }, moved, signal)) as RunReply;
    throwIfAborted(signal);
    return reply;
  }

  /** Forgets a kept cache. */
  drop(session: number, cache: number): void {
    if (this.#failure === undefined && this.#closing === undefined)
      this.#worker.postMessage({ kind: 'drop', session, cache });
  }

  /** Releases a session and its caches; does nothing on a worker that has ended. */
  async close(session: number): Promise<void> {
    if (this.#failure !== undefined || this.#closing !== undefined) return;
    await this.#queue.close(session);
  }

  /**
   * Waits for the run in progress, refuses the queued ones with ERR_DISPOSED, ends the thread. While a graph is opened it
   * waits for nothing: the thread ends when onnxruntime is done with it. Idempotent.
   */
  dispose(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#queue.leave(disposed);
    if (this.#queue.isAbandoned) return; // a thread inside onnxruntime cannot be ended: the process would be
    await this.ready.catch(() => undefined); // who waited for it was told
    await this.#queue.idle();
    if (this.#failure === undefined) {
      const gone = new Promise<void>((resolve) => {
        this.#worker.once('exit', () => resolve());
      });
      this.#worker.ref();
      this.#worker.postMessage({ kind: 'stop' });
      await gone;
    }
    process.off('exit', this.#drain);
  }

  readonly #drain = (code: number): void => awaitOutside(this.#state, this.#queue.isAbandoned, code);

  #hear(reply: WorkerReply): void {
    if (reply.kind === 'ready') {
      this.#isReady = true;
      this.#readied?.resolve();
      this.#hold();
    } else this.#queue.settle(reply);
  }

  /** The thread keeps the process alive while somebody waits for it. */
  #hold(): void {
    if (!this.#isReady || !this.#queue.isEmpty) this.#worker.ref();
    else this.#worker.unref();
  }

  #fail(how: string, cause?: unknown): void {
    const wanted = this.#closing !== undefined && cause === undefined;
    const detail = cause instanceof Error ? `: ${cause.message}` : '.';
    this.#failure ??= new EvaluatorError(
      'ERR_EVALUATOR',
      wanted
        ? 'The evaluator thread has ended.'
        : (missingRuntime(cause) ?? `The evaluator thread ${how}${detail} Start a new one.`),
      { cause },
    );
    this.#readied?.reject(this.#failure);
    this.#queue.fail(this.#failure);
    if (how === 'ended') process.off('exit', this.#drain);
  }
}

function disposed(): UsageError {
  return new UsageError('ERR_DISPOSED', 'The evaluator worker was disposed; start a new one.');
}
