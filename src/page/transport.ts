/** How the page reaches the models: three calls, over HTTP or, in a desktop app, through its preload script. */
import type { AskChunk, AskRequest, Facts, Failure, Gallery } from './wire.js';

/** All of them throw a {@link TransportError}. */
export interface Transport {
  /**
   * Asks, and yields what comes. Leaving the loop, or the signal, ends the request.
   *
   * @throws DOMException AbortError when the signal fires
   */
  ask(request: AskRequest, signal: AbortSignal): AsyncIterable<AskChunk>;
  /** Who answers and who judges; it also tells whether the server is there. */
  facts(): Promise<Facts>;
  /** Pictures to try; none where there is no gallery. */
  gallery(): Promise<Gallery>;
  /** The key that the server asks for; a transport without keys has no such call. */
  useKey?(key: string): void;
}

/** Something that the page tells its user. */
export class TransportError extends Error {
  readonly code: string;
  readonly param: string | null;

  constructor({ code, message, param = null }: Failure) {
    super(message);
    this.name = 'TransportError';
    this.code = code;
    this.param = param;
  }
}

/** What comes of an `ask` through a preload script; nothing follows an `end` or a `failure`. */
export type PreloadMessage =
  | { readonly type: 'chunk'; readonly chunk: AskChunk }
  | { readonly type: 'end' }
  | { readonly type: 'failure'; readonly failure: Failure };

/** A reply, or why there is none: a bridge between worlds keeps no fields of an error but its message. */
export type PreloadReply<Value> = { readonly value: Value } | { readonly failure: Failure };

/**
 * What a desktop app may expose to the page as `window.etaVlm`. It has the three calls of {@link Transport} in a form that
 * crosses Electron's `contextBridge`, which passes neither async iterators nor signals.
 */
export interface PreloadApi {
  /** Begins at once, and tells `hear` what comes, in order. @returns what stops it; afterwards nothing is told */
  ask(request: AskRequest, hear: (message: PreloadMessage) => void): () => void;
  facts(): Promise<PreloadReply<Facts>>;
  gallery(): Promise<PreloadReply<Gallery>>;
}

declare global {
  interface Window {
    readonly etaVlm?: PreloadApi;
  }
}
