/** A part that is loaded for whoever asks for it first, and kept from then on. */
import { WorkGroup } from '../work-group.js';

export class LatePart<Part> {
  readonly #load: (group: WorkGroup) => Promise<Part>;
  readonly #end: AbortSignal;
  #loading: Promise<Part> | undefined;
  #loaded: Part | null = null;

  /**
   * @param load starts what it needs in the group, and hears its signal
   * @param end ends a load that is under way
   */
  constructor(load: (group: WorkGroup) => Promise<Part>, end: AbortSignal) {
    this.#load = load;
    this.#end = end;
  }

  /** Null until it is there. */
  get loaded(): Part | null {
    return this.#loaded;
  }

  /**
   * Who asks while it is being loaded waits for that load. One that fails, fails for those who waited; the next tries again.
   *
   * @param group what else is loaded with it, and ends with it. @default a load of its own
   */
  get(group?: WorkGroup): Promise<Part> {
    this.#loading ??= this.#begin(group === undefined ? this.#alone() : group.start(() => this.#load(group)));
    return this.#loading;
  }

  /** Waits for the end of a load that is under way, however it ends. */
  async settled(): Promise<void> {
    await this.#loading?.catch(() => undefined); // those who waited were told
  }

  #begin(loading: Promise<Part>): Promise<Part> {
    loading.then(
      (part) => {
        this.#loaded = part;
      },
      () => {
        this.#loading = undefined;
      },
    );
    return loading;
  }

  async #alone(): Promise<Part> {
    const group = new WorkGroup(this.#end);
    try {
      return await group.result(group.start(() => this.#load(group)));
    } finally {
      await group.close();
    }
  }
}
