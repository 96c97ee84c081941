/** What has been found so far, so that a run which was ended goes on where it stood. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export class State {
  readonly #path: string;
  readonly #key: string;
  readonly #found: Record<string, unknown>;

  /** @param key of what was tried; findings of anything else are forgotten */
  constructor(path: string, key: string) {
    this.#path = path;
    this.#key = key;
    this.#found = read(path, key);
  }

  /** What was found before under this name, or what is found now. */
  async once<Value>(name: string, find: () => Promise<Value>): Promise<Value> {
    if (this.#found[name] === undefined) {
      this.#found[name] = await find();
      writeFileSync(`${this.#path}.new`, JSON.stringify({ key: this.#key, found: this.#found }));
      renameSync(`${this.#path}.new`, this.#path);
    }
    return this.#found[name] as Value;
  }
}

function read(path: string, key: string): Record<string, unknown> {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8'));
    return state.key === key ? state.found : {};
  } catch {
    return {}; // none, or half a one: everything is found anew
  }
}
