/** The main thread's side of the evaluator thread: a queue of one run at a time, and an end that never aborts the process. */
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { onAbort } from '../abort.js';
import { physicalCoreCount } from '../cores.js';
import { AbortError, EvaluatorError, throwIfAborted, UsageError } from '../errors.js';
import { integer, parseOptions } from '../options.js';
import type { CacheLayout } from './cache-layout.js';
import { damagedRuntime, missingRuntime } from './missing-runtime.js';
import type { Provider } from './provider.js';
import { keepTelemetryOff } from './telemetry.js';
import {
  BUSY,
  type Feed,
  type OpenReply,
  type ProbeReply,
  type Reply,
  type RunMessage,
  type RunReply,
  STOPPING,
  type WorkerMessage,
  type WorkerReply,
  type WorkerStart,
} from './worker-messages.js';

/** How long an exiting process waits for the run in progress, in milliseconds. */
const EXIT_PATIENCE_MS = 60_000;

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

interface Waiting {
  readonly message: WorkerMessage;
  /** Buffers of the message that are transferred. */
  readonly moved: readonly ArrayBuffer[];
  readonly resolve: (value: Reply) => void;
  readonly reject: (error: Error) => void;
  /** Stops hearing its signal. */
  readonly settle: () => void;
}

/**
 * One thread that holds every ONNX session. It keeps the process alive only while work is queued or running, so a script
 * that forgets {@link dispose} still ends; `process.exit()` waits for the run in progress, because onnxruntime aborts a
 * process that ends inside it.
 */
export class EvaluatorWorker {
  readonly #worker: Worker;
  readonly #state: Int32Array;
  readonly #queue: Waiting[] = [];
  #active: Waiting | undefined;
  #closing: Promise<void> | undefined;
  #failure: EvaluatorError | undefined;
  #idle: (() => void) | undefined;
  #nextId = 1;

  /** Threads that each graph runs on. */
  readonly threadCount: number;

  /**
   * Starts the thread and loads onnxruntime in it.
   *
   * @throws UsageError for a wrong option, EvaluatorError ERR_EVALUATOR when onnxruntime-node does not load, EngineError
   * in a worker thread without the addon
   */
  static async start(options?: EvaluatorWorkerOptions): Promise<EvaluatorWorker> {
    const { threadCount = Math.min(4, physicalCoreCount()) } = parseOptions(
      startSchema,
      options,
      'EvaluatorWorker.start options',
    );
    const damage = damagedRuntime();
    if (damage !== undefined) throw new EvaluatorError('ERR_EVALUATOR', damage);
    keepTelemetryOff();
    const worker = new EvaluatorWorker(threadCount);
    await worker.#ready();
    return worker;
  }

  private constructor(threadCount: number) {
    this.threadCount = threadCount;
    const shared = new SharedArrayBuffer(8);
    this.#state = new Int32Array(shared);
    const start: WorkerStart = { threadCount, state: shared };
    this.#worker = spawn(start);
    process.on('exit', this.#drain);
    this.#worker.on('error', (error) => this.#fail('failed', error));
    this.#worker.on('messageerror', () => this.#settle({ kind: 'failed', message: 'the reply cannot be read' }));
    this.#worker.on('exit', () => this.#fail('ended'));
  }

  /** A number that no other session or cache of this worker has. */
  nextId(): number {
    return this.#nextId++;
  }

  /** @throws EvaluatorError with onnxruntime's message when the graph does not load; AbortError */
  async open(session: number, graph: GraphPlace, signal?: AbortSignal): Promise<OpenReply> {
    const reply = (await this.#request({ kind: 'open', session, ...graph }, [], signal)) as OpenReply;
    if (signal?.aborted) await this.close(session);
    throwIfAborted(signal);
    return reply;
  }

  /**
   * Whether a provider starts on this machine and computes a small graph rightly.
   *
   * @returns why not, or null
   */
  async probe(provider: Provider, signal?: AbortSignal): Promise<string | null> {
    const reply = (await this.#request({ kind: 'probe', provider }, [], signal)) as ProbeReply;
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
    const reply = (await this.#request({ kind: 'run', ...message }, moved, signal)) as RunReply;
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
    if (this.#failure === undefined && this.#closing === undefined) await this.#request({ kind: 'close', session }, []);
  }

  /** Waits for the run in progress, refuses the queued ones with ERR_DISPOSED, ends the thread. Idempotent. */
  dispose(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    for (const waiting of this.#queue.splice(0)) reject(waiting, disposed());
    if (this.#active !== undefined) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
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

  /** Waits until the thread is outside onnxruntime, on the way out of the process. Nothing asynchronous runs any more here. */
  readonly #drain = (): void => {
    Atomics.store(this.#state, STOPPING, 1);
    while (Atomics.load(this.#state, BUSY) === 1) {
      if (Atomics.wait(this.#state, BUSY, 1, EXIT_PATIENCE_MS) === 'timed-out') return;
    }
  };

  async #ready(): Promise<void> {
    await new Promise<void>((resolve, rejectReady) => {
      this.#active = {
        message: { kind: 'stop' },
        moved: [],
        resolve: () => resolve(),
        reject: rejectReady,
        settle: () => undefined,
      };
      this.#worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    });
  }

  #request(message: WorkerMessage, moved: ArrayBuffer[], signal?: AbortSignal): Promise<Reply> {
    return new Promise((resolve, rejectRequest) => {
      if (signal?.aborted) return rejectRequest(new AbortError(signal));
      if (this.#closing !== undefined) return rejectRequest(disposed());
      if (this.#failure !== undefined) return rejectRequest(this.#failure);
      const settle = onAbort(signal, () => {
        const at = this.#queue.indexOf(waiting);
        if (at < 0) return;
        this.#queue.splice(at, 1);
        reject(waiting, new AbortError(signal));
      });
      const waiting: Waiting = { message, moved, resolve, reject: rejectRequest, settle };
      this.#queue.push(waiting);
      this.#next();
    });
  }

  /** Begins the next request that can be sent; one that cannot fails alone. */
  #next(): void {
    while (this.#active === undefined) {
      const waiting = this.#queue.shift();
      if (waiting === undefined) {
        this.#worker.unref();
        return;
      }
      try {
        this.#worker.postMessage(waiting.message, waiting.moved);
        this.#active = waiting;
        this.#worker.ref();
      } catch (cause) {
        reject(waiting, unsent(cause));
      }
    }
  }

  #settle(reply: WorkerReply): void {
    const waiting = this.#active;
    this.#active = undefined;
    if (waiting !== undefined) {
      waiting.settle();
      if (reply.kind === 'failed') waiting.reject(new EvaluatorError('ERR_EVALUATOR', `onnxruntime: ${reply.message}`));
      else waiting.resolve(reply.kind === 'done' ? reply.value : null);
    }
    this.#idle?.();
    this.#next();
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
    const all = this.#active === undefined ? this.#queue.splice(0) : [this.#active, ...this.#queue.splice(0)];
    this.#active = undefined;
    for (const waiting of all) reject(waiting, this.#failure);
    this.#idle?.();
    if (how === 'ended') process.off('exit', this.#drain);
  }
}

function reject(waiting: Waiting, error: Error): void {
  waiting.settle();
  waiting.reject(error);
}

function unsent(cause: unknown): EvaluatorError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new EvaluatorError(
    'ERR_EVALUATOR',
    `Expected input that can be sent to the evaluator thread, received what cannot: ${why} Give each buffer to one run alone.`,
    { cause },
  );
}

function disposed(): UsageError {
  return new UsageError('ERR_DISPOSED', 'The evaluator worker was disposed; start a new one.');
}

/** From dist the entry is JavaScript; from src it is TypeScript, which tsx has to be told of in each thread. */
function spawn(workerData: WorkerStart): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    // Without execArgv: a host's --input-type or --import is not meant for this thread.
    return new Worker(new URL('./worker-thread.js', import.meta.url), {
      workerData,
      execArgv: [],
      name: 'eta-vlm evaluators',
    });
  }
  const entry = JSON.stringify(new URL('./worker-thread.ts', import.meta.url).href);
  const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { eval: true, workerData, execArgv: [], name: 'eta-vlm evaluators' });
}
