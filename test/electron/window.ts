/** A window of the app as the processes see it: the example's preload script, run under doubles of what Electron gives it. */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import type { PreloadApi, PreloadMessage } from '../../src/page/transport.js';
import type { AskChunk, AskRequest } from '../../src/page/wire.js';
import type { Port } from './ports.mjs';

const PRELOAD = new URL('../../examples/electron/preload.cjs', import.meta.url);

/** As a renderer's MessagePort, which hears by `onmessage`. */
class PagePort {
  #port: Port;

  constructor(port: Port) {
    this.#port = port;
  }

  set onmessage(hear: (event: { data: unknown }) => void) {
    this.#port.on('message', hear);
    this.#port.start();
  }

  postMessage(data: unknown): void {
    this.#port.postMessage(data);
  }

  close(): void {
    this.#port.close();
  }
}

/** As WebContents, for those who hand it a port. */
export class Window extends EventEmitter {
  /** What the preload script exposed, by name. */
  readonly exposed: Record<string, unknown> = {};
  readonly #renderer = new EventEmitter();

  /** @param onHello called when the page asks for its port */
  constructor(onHello: (window: Window) => void) {
    super();
    const electron = {
      contextBridge: { exposeInMainWorld: (name: string, api: unknown) => (this.exposed[name] = api) },
      ipcRenderer: {
        on: (channel: string, hear: (...values: unknown[]) => void) => this.#renderer.on(channel, hear),
        send: () => queueMicrotask(() => onHello(this)),
      },
    };
    const script = runInThisContext(`(function (require) {${readFileSync(PRELOAD, 'utf8')}\n})`) as (
      require: () => typeof electron,
    ) => void;
    script(() => electron);
  }

  get api(): PreloadApi {
    return this.exposed['etaVlm'] as PreloadApi;
  }

  postMessage(channel: string, _data: unknown, ports: Port[]): void {
    this.#renderer.emit(channel, { ports: ports.map((port) => new PagePort(port)) });
  }

  /** The chunks of a whole answer. Rejects with what failed. */
  ask(request: AskRequest): Promise<AskChunk[]> {
    const chunks: AskChunk[] = [];
    return new Promise((resolve, reject) => {
      this.api.ask(request, (message: PreloadMessage) => {
        if (message.type === 'chunk') chunks.push(message.chunk);
        else if (message.type === 'end') resolve(chunks);
        else reject(Object.assign(new Error(message.failure.message), message.failure));
      });
    });
  }
}

/** The answer of chunks, joined, and what their last one says of it. */
export function wholeOf(chunks: readonly AskChunk[]) {
  const choices = chunks.flatMap((chunk) => chunk.choices);
  return {
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    events: choices.flatMap(({ eta }) => (eta?.event === undefined ? [] : [eta.event])),
    last: choices.findLast(({ eta }) => eta?.verdict !== undefined)?.eta,
  };
}
