/** As Electron's UtilityProcess, with the example's service on the other side of it, in this very thread. */
import { EventEmitter } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { type Eta, loadEta } from 'eta-vlm';
import { Service } from './example.js';
import { ParentPort, type Port } from './ports.mjs';

export class UtilityProcess extends EventEmitter {
  readonly #port: ParentPort;
  /** Ports that it was handed: they close with a process. */
  readonly #given: Port[] = [];
  /** What a real process would take along. */
  readonly #etas: Eta[] = [];
  exitCode: number | null = null;

  constructor(load: typeof loadEta = loadEta) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#port = new ParentPort(port1);
    this.#port.on('message', ({ data }) => this.emit('message', data));
    const child = new ParentPort(port2);
    child.on('message', ({ ports }) => this.#given.push(...ports));
    const loaded: typeof loadEta = async (options) => {
      const eta = await load(options);
      if (this.exitCode === null) this.#etas.push(eta);
      else await eta.dispose();
      return eta;
    };
    new Service(child as never, { load: loaded, exit: (code) => this.#end(code) });
  }

  postMessage(data: unknown, ports: Port[] = []): void {
    this.#port.postMessage(data, ports);
  }

  kill(): boolean {
    this.#end(15);
    return true;
  }

  #end(code: number): void {
    if (this.exitCode !== null) return;
    this.exitCode = code;
    for (const eta of this.#etas) void eta.dispose();
    for (const port of [this.#port, ...this.#given]) port.close();
    this.emit('exit', code);
  }
}
