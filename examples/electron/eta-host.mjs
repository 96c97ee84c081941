/** The main process' side of the models: starts their process, hands each window a port to it, and starts it again. */

/** @typedef {import('./eta/messages.mjs').State} State @typedef {import('./eta/messages.mjs').News} News */

/** A process that ended unasked is started again, but so often within so many milliseconds. */
const RESTARTS = { count: 3, withinMs: 10 * 60_000 };
/** How long a process may take to free what it holds. */
const QUIT_MS = 5000;

export class EtaHost {
  /** What a window was told last. @type {State} */
  state = { name: 'none' };
  #parts;
  /** @type {import('electron').UtilityProcess | null} */
  #child = null;
  /** Windows that asked for a port. @type {Set<import('electron').WebContents>} */
  #windows = new Set();
  /** The choice in force; null before the first. @type {import('eta-vlm').LoadEtaOptions | null} */
  #options = null;
  /** When it was started again. @type {number[]} */
  #restarts = [];
  #isQuitting = false;

  /**
   * @param {object} parts
   * @param {() => import('electron').UtilityProcess} parts.fork
   * @param {() => import('electron').MessageChannelMain} parts.createChannel
   * @param {(state: State) => void} parts.onState
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Loads these models in place of those before. @param {import('eta-vlm').LoadEtaOptions} options plain data alone */
  load(options) {
    this.#options = options;
    this.#restarts = [];
    this.#tell({ name: 'loading', part: 'process', fraction: 0 });
    this.#order({ type: 'load', options });
  }

  /** Ends a load or a download. What came of a download stays, and the next goes on with it. */
  stop() {
    this.#order({ type: 'stop' });
  }

  /** Gives the memory back until the next question. */
  unload() {
    this.#order({ type: 'unload' });
  }

  /** Hands a window a port to the models. @param {import('electron').WebContents} window */
  connect(window) {
    if (!this.#windows.has(window)) window.once('destroyed', () => this.#windows.delete(window));
    this.#windows.add(window);
    const { port1, port2 } = this.#parts.createChannel();
    this.#running().postMessage({ type: 'window' }, [port1]);
    window.postMessage('eta-port', null, [port2]);
  }

  /** Resolves when the process is gone. */
  async quit() {
    this.#isQuitting = true;
    const child = this.#child;
    if (child === null) return;
    await new Promise((resolve) => {
      const patience = setTimeout(() => child.kill(), QUIT_MS);
      child.once('exit', () => {
        clearTimeout(patience);
        resolve(null);
      });
      this.#order({ type: 'quit' });
    });
  }

  /** @param {import('./eta/messages.mjs').Order} order */
  #order(order) {
    this.#running().postMessage(order);
  }

  #running() {
    this.#child ??= this.#start();
    return this.#child;
  }

  #start() {
    const child = this.#parts.fork();
    child.on('message', (/** @type {News} */ news) => {
      if (news.type === 'state') this.#tell(news.state);
      else child.postMessage({ type: 'quit' }); // its device is lost: the next process has one again
    });
    child.on('exit', () => {
      // Electron before 44.1 ends the main process where a process that has ended is written to from here.
      this.#child = null;
      if (!this.#isQuitting) setImmediate(() => this.#startAgain());
    });
    return child;
  }

  #startAgain() {
    const now = Date.now();
    this.#restarts = [...this.#restarts.filter((time) => now - time < RESTARTS.withinMs), now];
    if (this.#restarts.length > RESTARTS.count) {
      const message = `The process of the models ended ${this.#restarts.length} times. Choose models again, or others.`;
      this.#tell({ name: 'failed', failure: { name: 'Error', code: 'ERR_ENDED', message } });
      return;
    }
    if (this.#options !== null) this.#order({ type: 'load', options: this.#options });
    for (const window of this.#windows) this.connect(window);
  }

  /** @param {State} state */
  #tell(state) {
    this.state = state;
    this.#parts.onState(state);
  }
}
