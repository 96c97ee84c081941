/** What the evaluator thread was asked: one request is with it, the others wait for their turn. */
import { onAbort } from '../abort.js';
import { AbortError, EngineError, type EtaError, EvaluatorError } from '../errors.js';
import type { Reply, WorkerMessage, WorkerReply } from './worker-messages.js';

/** The thread, as far as its queue has to do with it. */
export interface QueuedThread {
  /** Why nothing may be asked any more; undefined while it may. */
  refusal(): Error | undefined;
  /** @throws what `postMessage` throws for a message that cannot be sent */
  post(message: WorkerMessage, moved: readonly ArrayBuffer[]): void;
  /** Called when somebody waits, or may wait no more. */
  onChange(): void;
  /** Called when the thread is out of what nobody waits for any more, with the sessions that are to be closed now. */
  onReturn(orphans: readonly number[]): void;
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

export class ThreadQueue {
  readonly #thread: QueuedThread;
  readonly #waiting: Waiting[] = [];
  #active: Waiting | undefined;
  /** Being opened or probed, and nobody waits for it any more. The thread is inside onnxruntime and may stay there. */
  #abandoned: WorkerMessage | undefined;
  /** Sessions to close as soon as the thread is out again. */
  readonly #orphans: number[] = [];
  #idle: (() => void) | undefined;

  constructor(thread: QueuedThread) {
    this.#thread = thread;
  }

  /** Whether nobody waits for anything. */
  get isEmpty(): boolean {
    return this.#active === undefined && this.#waiting.length === 0;
  }

  /** Whether the thread is in something that nobody waits for. */
  get isAbandoned(): boolean {
    return this.#abandoned !== undefined;
  }

  /**
   * Asks when its turn comes. What waits leaves the queue when the signal fires, and so does what is being opened or probed;
   * a run that has begun goes to its end.
   *
   * @throws AbortError; the thread's refusal; EvaluatorError ERR_EVALUATOR, EngineError ERR_THREADS
   */
  ask(message: WorkerMessage, moved: readonly ArrayBuffer[], signal?: AbortSignal): Promise<Reply> {
    return new Promise((resolve, rejectRequest) => {
      if (signal?.aborted) return rejectRequest(new AbortError(signal));
      const refusal = this.#thread.refusal();
      if (refusal !== undefined) return rejectRequest(refusal);
      const settle = onAbort(signal, () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) {
          this.#waiting.splice(at, 1);
          reject(waiting, new AbortError(signal));
        } else if (this.#active === waiting && isOpening(waiting)) this.#abandon(waiting, new AbortError(signal));
      });
      const waiting: Waiting = { message, moved, resolve, reject: rejectRequest, settle };
      this.#waiting.push(waiting);
      this.#next();
      this.#thread.onChange();
    });
  }

  /** Has a session closed: in its turn, or once the thread is out of what nobody waits for. */
  async close(session: number): Promise<void> {
    if (this.#abandoned !== undefined) this.#orphans.push(session);
    else await this.ask({ kind: 'close', session }, []);
  }

  /** Hears the answer to the request that is with the thread. */
  settle(reply: WorkerReply): void {
    const waiting = this.#active;
    this.#active = undefined;
    if (this.#abandoned !== undefined) this.#settleAbandoned(this.#abandoned, reply);
    else if (waiting !== undefined) {
      waiting.settle();
      if (reply.kind === 'failed') waiting.reject(failureOf(reply));
      else waiting.resolve(reply.kind === 'done' ? reply.value : null);
    }
    this.#idle?.();
    this.#next();
    this.#thread.onChange();
  }

  /** Ends all that waits, and leaves a graph that is being opened to the thread. */
  leave(error: () => Error): void {
    for (const waiting of this.#waiting.splice(0)) reject(waiting, error());
    if (this.#active !== undefined && isOpening(this.#active)) this.#abandon(this.#active, error());
  }

  /** Ends everything: the thread is no more. */
  fail(error: Error): void {
    const all = this.#active === undefined ? this.#waiting.splice(0) : [this.#active, ...this.#waiting.splice(0)];
    this.#active = undefined;
    this.#abandoned = undefined;
    for (const waiting of all) reject(waiting, error);
    this.#idle?.();
  }

  /** Once nothing is with the thread that somebody waits for. */
  async idle(): Promise<void> {
    if (this.#active === undefined) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Leaves a graph that is being opened to the thread, and whoever waits to its end by the error. */
  #abandon(waiting: Waiting, error: Error): void {
    this.#abandoned = waiting.message;
    this.#active = undefined;
    for (const { message, resolve } of this.#waiting.filter(({ message }) => message.kind === 'close')) {
      if (message.kind === 'close') this.#orphans.push(message.session);
      resolve(null);
    }
    this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter(({ message }) => message.kind !== 'close'));
    this.#thread.onChange();
    reject(waiting, error);
  }

  #settleAbandoned(message: WorkerMessage, reply: WorkerReply): void {
    this.#abandoned = undefined;
    if (message.kind === 'open' && reply.kind === 'done') this.#orphans.push(message.session);
    this.#thread.onReturn(this.#orphans.splice(0));
  }

  /** Begins the next request that can be sent; one that cannot fails alone. */
  #next(): void {
    while (this.#active === undefined && this.#abandoned === undefined) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) return;
      try {
        this.#thread.post(waiting.message, waiting.moved);
        this.#active = waiting;
      } catch (cause) {
        reject(waiting, unsent(cause));
      }
    }
  }
}

/** Whether the thread is in the one place that may take for ever, and that changes nothing it may not leave behind. */
function isOpening({ message: { kind } }: Waiting): boolean {
  return kind === 'open' || kind === 'probe';
}

function failureOf({ message, lacksThreads }: Extract<WorkerReply, { kind: 'failed' }>): EtaError {
  if (lacksThreads === true) return new EngineError('ERR_THREADS', message);
  return new EvaluatorError('ERR_EVALUATOR', `onnxruntime: ${message}`);
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
