/** The models behind a preload script. */
import {
  type PreloadApi,
  type PreloadMessage,
  type PreloadReply,
  type Transport,
  TransportError,
} from './transport.js';
import type { AskChunk, AskRequest, Facts, Gallery } from './wire.js';

export class PreloadTransport implements Transport {
  readonly #api: PreloadApi;

  constructor(api: PreloadApi) {
    this.#api = api;
  }

  async *ask(request: AskRequest, signal: AbortSignal): AsyncGenerator<AskChunk, void> {
    signal.throwIfAborted();
    const heard: PreloadMessage[] = [];
    let wake: () => void = () => undefined;
    const stop = this.#api.ask(request, (message) => {
      heard.push(message);
      wake();
    });
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort);
    try {
      while (true) {
        signal.throwIfAborted();
        const message = heard.shift();
        if (message === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (message.type === 'failure') throw new TransportError(message.failure);
        else if (message.type === 'end') return;
        else yield message.chunk;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      stop();
    }
  }

  async facts(): Promise<Facts> {
    return received(await this.#api.facts());
  }

  async gallery(): Promise<Gallery> {
    return received(await this.#api.gallery());
  }
}

function received<Value>(reply: PreloadReply<Value>): Value {
  if ('failure' in reply) throw new TransportError(reply.failure);
  return reply.value;
}
