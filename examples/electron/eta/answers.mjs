/** Answers for one window, over its port: several at once, each stopped by a word, none faster than the page takes it. */
import { errorOf, failureOf } from './messages.mjs';
import { chunksOf } from './server-events.mjs';

/** Chunks on their way to the page that it has not taken yet, at most. */
const WINDOW = 32;

/**
 * A request under way. `open` chunks have been sent and not been taken; `wake` tells whoever waits for room.
 *
 * @typedef {{ controller: AbortController, open: number, wake: () => unknown }} Running
 */

/** Where the server would be, if there was one. */
const ORIGIN = 'http://127.0.0.1';

export class Answers {
  /** @type {Map<number, Running>} */
  #running = new Map();
  #port;
  #fetch;
  #onFailure;

  /**
   * @param {Pick<import('electron').MessagePortMain, 'on' | 'start' | 'postMessage'>} port
   * @param {(request: Request) => Promise<Response>} fetch of `createServer(eta)`; it may wait for the models
   * @param {(failure: import('./messages.mjs').Failure) => void} onFailure told of each, also where nobody listens any more
   */
  constructor(port, fetch, onFailure) {
    this.#port = port;
    this.#fetch = fetch;
    this.#onFailure = onFailure;
    port.on('message', ({ data }) => this.#hear(data));
    port.on('close', () => this.stopAll()); // the window is gone, or shows another page
    port.start();
  }

  stopAll() {
    for (const { controller, wake } of this.#running.values()) {
      controller.abort();
      wake();
    }
  }

  /** @param {import('./messages.mjs').Call} call */
  #hear(call) {
    const running = this.#running.get(call.id);
    if (call.type === 'more' || call.type === 'stop') {
      if (running === undefined) return; // it has ended in the meantime
      if (call.type === 'stop') running.controller.abort();
      else running.open--;
      running.wake();
      return;
    }
    /** @type {Running} */
    const started = { controller: new AbortController(), open: 0, wake: () => undefined };
    this.#running.set(call.id, started);
    void this.#answer(call, started).then((last) => {
      this.#running.delete(call.id);
      if (!started.controller.signal.aborted) this.#tell(last);
      if (last.type === 'failure') this.#onFailure(last.failure);
    });
  }

  /** @param {import('./messages.mjs').Reply} reply */
  #tell(reply) {
    this.#port.postMessage(reply);
  }

  /**
   * @param {import('./messages.mjs').Call} call
   * @param {Running} running
   * @returns {Promise<import('./messages.mjs').Reply>} the last word of it
   */
  async #answer(call, running) {
    const { id } = call;
    const { signal } = running.controller;
    try {
      if (call.type === 'facts') return { type: 'value', id, value: await this.#json('/eta/facts', signal) };
      if (call.type === 'gallery') return { type: 'value', id, value: await this.#gallery(signal) };
      if (call.type === 'ask') await this.#ask(id, call.request, running);
      return { type: 'end', id };
    } catch (error) {
      return { type: 'failure', id, failure: failureOf(error) };
    }
  }

  /**
   * @param {number} id
   * @param {object} request
   * @param {Running} running
   */
  async #ask(id, request, running) {
    const { signal } = running.controller;
    const { body } = await this.#get('/v1/chat/completions', signal, { ...request, stream: true });
    if (body === null) return;
    for await (const chunk of chunksOf(body)) {
      if ('error' in chunk) throw refused(chunk);
      while (running.open >= WINDOW && !signal.aborted)
        await new Promise((resolve) => (running.wake = () => resolve(null)));
      if (signal.aborted) return; // leaving the loop ends the request
      running.open++;
      this.#tell({ type: 'chunk', id, chunk });
    }
  }

  /**
   * Pictures to try, each as a `data:` address, because the page reaches no server.
   *
   * @param {AbortSignal} signal
   */
  async #gallery(signal) {
    const list = new URL('/eta/gallery', ORIGIN); // the pictures' addresses are relative to it
    const { pictures } = await this.#json(list.pathname, signal);
    return {
      pictures: await Promise.all(
        pictures.map(async (/** @type {{ url: string }} */ picture) => {
          const response = await this.#get(new URL(picture.url, list).pathname, signal);
          const bytes = Buffer.from(await response.arrayBuffer());
          return { ...picture, url: `data:${response.headers.get('content-type')};base64,${bytes.toString('base64')}` };
        }),
      ),
    };
  }

  /** @param {string} path @param {AbortSignal} signal @returns {Promise<any>} */
  async #json(path, signal) {
    return (await this.#get(path, signal)).json();
  }

  /** @param {string} path @param {AbortSignal} signal @param {object} [body] */
  async #get(path, signal, body) {
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const headers = { 'content-type': 'application/json' };
    const response = await this.#fetch(new Request(new URL(path, ORIGIN), { ...sent, headers, signal }));
    if (!response.ok) throw refused(await response.json().catch(() => ({})), response.status);
    return response;
  }
}

/**
 * The server's refusal as an error again. It tells no class, but the code, which belongs to one class alone.
 *
 * @param {{ error?: { code?: string, message?: string, param?: string | null } }} body
 * @param {number} [status]
 */
function refused({ error }, status) {
  const message = error?.message ?? `The request was refused with status ${status}.`;
  const param = typeof error?.param === 'string' ? { param: error.param } : {};
  return errorOf({ name: 'EtaError', code: error?.code ?? 'ERR_UNKNOWN', message, ...param });
}
