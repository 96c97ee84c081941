/** How far all files of a pull together are, told from those that are in work. */
import type { PullProgress } from './pull.js';

export class WholeProgress {
  readonly #wantedBytes: number;
  /** What was here of each file when it was first told of, and what is now. */
  readonly #files = new Map<string, { readonly from: number; now: number }>();

  constructor(wantedBytes: number) {
    this.#wantedBytes = wantedBytes;
  }

  /** Bytes that came since the fetching began. */
  receivedBytes({ repo, path, receivedBytes }: PullProgress): number {
    const key = `${repo}/${path}`;
    const file = this.#files.get(key) ?? { from: receivedBytes, now: receivedBytes };
    file.now = receivedBytes;
    this.#files.set(key, file);
    return [...this.#files.values()].reduce((sum, { from, now }) => sum + Math.max(0, now - from), 0);
  }

  fraction(at: PullProgress): number {
    return this.#wantedBytes === 0 ? 1 : Math.min(1, this.receivedBytes(at) / this.#wantedBytes);
  }
}
