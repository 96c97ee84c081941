/** What came of the proofs of one state of the tree, kept so that a call that was ended is taken up by the next. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProofResult } from './proof.js';

export class Results {
  readonly folder: string;

  /** @param folder of that state of the tree alone; made where it is not there */
  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Where a proof's output goes. */
  logOf(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  find(name: string): ProofResult | null {
    const path = this.#pathOf(name);
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
  }

  /** Whole or not at all: a process may end at any time. */
  keep(result: ProofResult): void {
    const path = this.#pathOf(result.name);
    writeFileSync(`${path}.part`, `${JSON.stringify(result, null, 2)}\n`);
    renameSync(`${path}.part`, path);
  }

  #pathOf(name: string): string {
    return join(this.folder, `${name}.json`);
  }
}
