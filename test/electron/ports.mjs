/** What Electron gives a utility process and those who talk to it, over Node's own message ports: real structured clone. */
import { EventEmitter } from 'node:events';
import { MessageChannel } from 'node:worker_threads';

/** As MessagePortMain. */
export class Port extends EventEmitter {
  #port;
  #isStarted = false;

  /** @param {import('node:worker_threads').MessagePort} port */
  constructor(port) {
    super();
    this.#port = port;
  }

  start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#port.on('message', ({ data, ports }) => {
      this.emit('message', { data, ports: ports.map((/** @type {any} */ port) => new Port(port)) });
    });
    this.#port.on('close', () => this.emit('close'));
  }

  /** @param {unknown} data @param {Port[]} [transfer] */
  postMessage(data, transfer = []) {
    const ports = transfer.map((port) => port.#port);
    this.#port.postMessage({ data, ports }, ports);
  }

  close() {
    this.#port.close();
  }
}

/** As `process.parentPort`: its messages wait for a listener, not for a start. */
export class ParentPort extends Port {
  /** @override @param {string} event @param {(...values: any[]) => void} listener */
  on(event, listener) {
    super.on(event, listener);
    if (event === 'message') this.start();
    return this;
  }
}

/** As MessageChannelMain. */
export class Channel {
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = new Port(port1);
    this.port2 = new Port(port2);
  }
}
