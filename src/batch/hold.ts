/** One process's hold on a results file: nothing takes a name there but while the file's lock is its own. */
import type { FileHandle } from 'node:fs/promises';
import { FileError } from '../errors.js';
import { type LockFile, writeWhole } from '../outputs/index.js';

export class Hold {
  readonly #lock: LockFile;
  #isLossTold = false;

  constructor(lock: LockFile) {
    this.#lock = lock;
  }

  /** Whether it is known to be lost; {@link check} tells. */
  get isLost(): boolean {
    return this.#lock.loss !== undefined;
  }

  /** Whether {@link check} has told so. */
  get isLossTold(): boolean {
    return this.#isLossTold;
  }

  /** @throws UsageError ERR_RESULTS_LOCKED once another process has taken the file over */
  async check(): Promise<void> {
    await this.#lock.check().catch((error: unknown) => {
      this.#isLossTold = true;
      throw error;
    });
  }

  /**
   * Writes a file whole, or not at all. The draft takes its target's name only while the lock is ours. A new holder takes the
   * draft away: that is told so.
   *
   * @throws FileError ERR_FILE_WRITE; as {@link check}
   */
  async publish(path: string, write: (draft: FileHandle) => Promise<void>): Promise<void> {
    const publishing = writeWhole(path, async (draft) => {
      await write(draft);
      await this.check();
    });
    await publishing.catch(async (error: unknown) => {
      if (error instanceof FileError && error.code === 'ERR_FILE_WRITE') await this.check();
      throw error;
    });
  }

  /** Lets others write the file. */
  async release(): Promise<void> {
    await this.#lock.release();
  }
}
