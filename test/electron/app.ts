/** The example's main process without Electron: its host, windows, and processes that are doubles. */
import type { LoadEtaOptions, loadEta } from 'eta-vlm';
import type { State } from '../../examples/electron/eta/messages.mjs';
import { EtaHost } from './example.js';
import { Channel } from './ports.mjs';
import { UtilityProcess } from './utility-process.js';
import { Window } from './window.js';

export class App {
  readonly states: State[] = [];
  readonly processes: UtilityProcess[] = [];
  readonly host: InstanceType<typeof EtaHost>;
  #wake: () => void = () => undefined;

  /** @param load what the service loads an Eta by */
  constructor(load?: typeof loadEta) {
    this.host = new EtaHost({
      fork: () => {
        const child = new UtilityProcess(load);
        this.processes.push(child);
        return child as never;
      },
      createChannel: () => new Channel() as never,
      onState: (state) => {
        this.states.push(state);
        this.#wake();
      },
    });
  }

  open(): Window {
    return new Window((window) => this.host.connect(window as never));
  }

  /** Loads, and waits for the end of it. */
  async load(options: LoadEtaOptions): Promise<State> {
    this.host.load(options);
    return await this.settled();
  }

  /** The next state in which nothing is loading. */
  async settled(): Promise<State> {
    while (this.host.state.name === 'loading') await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.host.state;
  }
}
