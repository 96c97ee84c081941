/** Which models the app offers, and which its user chose last. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @typedef {{ title: string, note: string, options: import('eta-vlm').LoadEtaOptions }} Choice */

/** By the names that the file of the choice holds. @type {Readonly<Record<string, Choice>>} */
export const CHOICES = {
  miniature: {
    title: 'Try it with the miniature',
    note: 'Small models of a drawn world that came with the app. On photographs they answer nonsense.',
    options: {},
  },
  'laptop-8gb': {
    title: 'SmolVLM2 2.2B, for photographs',
    note: '2.4 GiB are fetched once, under the licences Apache 2.0 and MIT. It takes about 4.1 GiB of memory.',
    options: { models: 'laptop-8gb', decision: 'qwen3guard' },
  },
};

export class Choices {
  #folder;

  /** @param {string} folder the app's own, `app.getPath('userData')` */
  constructor(folder) {
    this.#folder = folder;
  }

  /** The choice of last time. @returns {Promise<string | null>} */
  async last() {
    const name = await readFile(this.#file(), 'utf8').catch(() => '');
    return Object.hasOwn(CHOICES, name) ? name : null;
  }

  /**
   * What loads a choice, and remembers it.
   *
   * @param {string} name
   * @param {boolean} mayFetch what is not here is fetched: only where the user said so
   * @returns {Promise<import('eta-vlm').LoadEtaOptions>}
   */
  async take(name, mayFetch) {
    const choice = Object.hasOwn(CHOICES, name) ? CHOICES[name] : undefined;
    if (choice === undefined)
      throw new RangeError(`Expected one of ${Object.keys(CHOICES).join(', ')}, received ${name}.`);
    await writeFile(this.#file(), name);
    const modelsFolder = join(this.#folder, 'models');
    return { ...choice.options, modelsFolder, download: mayFetch, idleUnloadMs: 5 * 60_000, verifyHashes: 'changed' };
  }

  #file() {
    return join(this.#folder, 'models-choice.txt');
  }
}
