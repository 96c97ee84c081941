/** What ends a request from outside: its client that leaves, its time that is over, the server that closes. */
import { onAbort } from '../abort.js';
import { AbortError, ServerError } from '../errors.js';

/** Ends the work of one request. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #takeBack: (() => void)[];
  #reason: ServerError | undefined;

  /**
   * @param client fires when who asked has left
   * @param closing fires when the server's grace is over
   */
  constructor(timeoutMs: number, client: AbortSignal, closing: AbortSignal) {
    this.#timer = setTimeout(() => this.#end(timeIsOver(timeoutMs)), timeoutMs);
    this.#timer.unref();
    this.#takeBack = [
      onAbort(client, () => this.#controller.abort(client.reason)),
      onAbort(closing, () => this.#end(isStopping())),
    ];
  }

  /** Fires when it is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The client has left. */
  leave(): void {
    this.#controller.abort();
  }

  /** What to tell: why it ended, where the work only knows that it was aborted. */
  told(error: unknown): unknown {
    return error instanceof AbortError && this.#reason !== undefined ? this.#reason : error;
  }

  /** Once nothing of the request is under way. */
  close(): void {
    clearTimeout(this.#timer);
    for (const call of this.#takeBack) call();
  }

  #end(reason: ServerError): void {
    if (this.#controller.signal.aborted) return;
    this.#reason = reason;
    this.#controller.abort(reason);
  }
}

export function isStopping(): ServerError {
  return new ServerError('ERR_STOPPING', 'Expected a running server, received one that is stopping. Ask again later.');
}

function timeIsOver(timeoutMs: number): ServerError {
  return new ServerError(
    'ERR_TIMEOUT',
    `Expected an answer within ${timeoutMs / 1000} seconds, which are over. Ask for fewer tokens, or start the server with more time (--timeout, or timeoutMs).`,
  );
}
