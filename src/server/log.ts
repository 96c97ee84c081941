/** What is told of a request when it has ended; nothing of what it says, unless the server was told to. */
import { EtaError } from '../errors.js';
import type { Action, EtaErrorCode, Usage } from '../index.js';
import { bodyOf, isFault } from './failure.js';

/** What a request said, and what was said to it. */
export interface ServedContent {
  /** The text of the last turn. */
  readonly asked: string;
  /** One for each answer. */
  readonly answers: readonly string[];
}

/** A request that has ended. */
export interface ServedRequest {
  /** As the answer has it; null for what makes none. */
  readonly id: string | null;
  /** Of HTTP. */
  readonly method: string;
  /** As the routes are written: what a client put into an address is not in it. */
  readonly route: string;
  /** Of the response; 200 for a stream that failed after it had begun. */
  readonly status: number;
  /** Milliseconds from its arrival until all of its answer waits to be sent; a slow client takes it later. */
  readonly ms: number;
  /** Milliseconds in which it waited for its turn. */
  readonly waitedMs: number;
  /** Milliseconds from its arrival to the first text; null where there was none. */
  readonly firstTextMs: number | null;
  /** What was done, one for each answer. */
  readonly actions: readonly Action[];
  /** What each answer took, in tokens. */
  readonly usages: readonly Usage[];
  /** Why it failed; null where it did not. A client that left is ERR_ABORTED. */
  readonly code: EtaErrorCode | 'ERR_UNEXPECTED' | null;
  /** What was said; null unless the server was told to keep it. */
  readonly content: ServedContent | null;
}

/** A request under way, filled in as it goes. */
export class RequestRecord {
  readonly #startedAt = performance.now();
  readonly #method: string;
  readonly #route: string;
  readonly #tell: (request: ServedRequest) => void;
  readonly #onFault: (error: unknown) => void;
  #isOpen = false;
  id: string | null = null;
  waitedMs = 0;
  firstTextMs: number | null = null;
  actions: readonly Action[] = [];
  usages: readonly Usage[] = [];
  code: ServedRequest['code'] = null;
  content: ServedContent | null = null;

  /**
   * @param tell told when it has ended
   * @param onFault told of what is no error of ours
   */
  constructor(
    { method, path }: { readonly method: string; readonly path: string },
    tell: (request: ServedRequest) => void,
    onFault: (error: unknown) => void,
  ) {
    this.#method = method;
    this.#route = path;
    this.#tell = tell;
    this.#onFault = onFault;
  }

  get ms(): number {
    return performance.now() - this.#startedAt;
  }

  /** Whether it goes on behind its response, as a stream does: then who streams ends it. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  keepOpen(): void {
    this.#isOpen = true;
  }

  /** @param error undefined: nothing went wrong. One that is none of ours is a fault of the server, which its operator is told */
  fail(error: unknown): void {
    if (error === undefined) return;
    this.code = bodyOf(error).error.code;
    if (!(error instanceof EtaError) || isFault(error)) this.#onFault(error);
  }

  textLeft(): void {
    this.firstTextMs ??= this.ms;
  }

  end(status: number): void {
    const { id, waitedMs, firstTextMs, actions, usages, code, content, ms } = this;
    const told = { id, waitedMs, firstTextMs, actions, usages, code, content, ms, status };
    this.#tell({ ...told, method: this.#method, route: this.#route });
  }
}
