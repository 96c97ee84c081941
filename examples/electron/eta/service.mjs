/** The one Eta of the app: loaded and fetched at an order, asked by any number of windows, given up when nobody asks. */
import { loadEta } from 'eta-vlm';
import { createServer } from 'eta-vlm/server';
import { Answers } from './answers.mjs';
import { errorOf, failureOf } from './messages.mjs';

/** It listens nowhere; what is under way when the app ends, or takes other models, ends too. */
const SERVER = { page: false, graceMs: 1 };

/** @typedef {{ eta: import('eta-vlm').Eta, server: import('eta-vlm/server').EtaServer }} Loaded */

export class Service {
  #parentPort;
  #load;
  #exit;
  /** The load under way, done or failed; what is asked waits for it. @type {Promise<Loaded> | null} */
  #loaded = null;
  #loading = new AbortController();

  /**
   * @param {Pick<import('electron').ParentPort, 'on' | 'postMessage'>} parentPort
   * @param {{ load?: typeof loadEta, exit?: (code: number) => void }} [parts] what a test puts in their place
   */
  constructor(parentPort, { load = loadEta, exit = (code) => process.exit(code) } = {}) {
    this.#parentPort = parentPort;
    this.#load = load;
    this.#exit = exit;
    parentPort.on('message', ({ data, ports: [port] }) => this.#hear(data, port));
  }

  /**
   * @param {import('./messages.mjs').Order} order
   * @param {import('electron').MessagePortMain | undefined} port
   */
  #hear(order, port) {
    if (order.type === 'load') this.#begin(order.options);
    else if (order.type === 'stop') this.#loading.abort();
    else if (order.type === 'unload') void this.#unload();
    else if (order.type === 'quit') void this.#end(this.#loaded).finally(() => this.#exit(0));
    else if (port !== undefined)
      new Answers(
        port,
        (request) => this.#fetch(request),
        (failure) => this.#note(failure),
      );
  }

  /** @param {import('./messages.mjs').News} news */
  #tell(news) {
    this.#parentPort.postMessage(news);
  }

  /** A new choice ends the old one, and whatever was asked of it. @param {import('eta-vlm').LoadEtaOptions} options */
  #begin(options) {
    const before = this.#end(this.#loaded);
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const loaded = before.then(() => this.#make(options, signal));
    this.#loaded = loaded;
    const tell = (/** @type {import('./messages.mjs').State} */ state) => {
      if (this.#loaded === loaded) this.#tell({ type: 'state', state });
    };
    loaded.then(
      ({ eta }) => tell({ name: 'ready', model: eta.facts.models.name ?? 'models of your own' }),
      (error) => tell({ name: 'failed', failure: failureOf(error) }),
    );
  }

  /**
   * @param {import('eta-vlm').LoadEtaOptions} options
   * @param {AbortSignal} signal
   * @returns {Promise<Loaded>}
   */
  async #make(options, signal) {
    /** @param {import('eta-vlm').LoadProgress} progress */
    const onProgress = ({ part, fraction, bytes }) =>
      this.#tell({ type: 'state', state: { name: 'loading', part, fraction, bytes } });
    const eta = await this.#load({ ...options, signal, onProgress });
    return { eta, server: createServer(eta, SERVER) };
  }

  /** Ends a load and what came of it. @param {Promise<Loaded> | null} loaded */
  async #end(loaded) {
    this.#loading.abort();
    const found = await loaded?.catch(() => null); // a load that failed left nothing behind, and was told of
    await found?.server.close();
    await found?.eta.dispose();
  }

  /** @param {Request} request */
  async #fetch(request) {
    if (this.#loaded === null) {
      const message = 'Expected models, but none were chosen yet. Choose some first.';
      throw errorOf({ name: 'ModelError', code: 'ERR_MODEL_NOT_FOUND', message });
    }
    const { server } = await this.#loaded;
    return await server.fetch(request);
  }

  /** While something is asked, nothing is freed. */
  async #unload() {
    const found = await this.#loaded?.catch(() => null);
    await found?.eta.unload();
  }

  /** What is lost with a device does not come back in this process: the main process starts another. */
  #note(/** @type {import('./messages.mjs').Failure} */ { code }) {
    if (code === 'ERR_DEVICE_LOST') this.#tell({ type: 'device-lost' });
  }
}
