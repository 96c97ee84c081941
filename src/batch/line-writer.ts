/**
 * Appends lines to a file. What {@link LineWriter.append} has promised is with the operating system: no end of the
 * process loses it. The disk has it within {@link SYNC_EVERY_MS}: only a loss of power in that time does, and it leaves
 * a file that opening repairs.
 */
import type { FileHandle } from 'node:fs/promises';
import type { FileError } from '../errors.js';
import { unwritable } from '../outputs/index.js';

/** One sync for all lines of this time, in ms; docs/batch.md has what a sync for each line would cost. */
const SYNC_EVERY_MS = 250;

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class LineWriter {
  readonly #path: string;
  readonly #handle: FileHandle;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #sync: { readonly timer: NodeJS.Timeout; readonly done: () => void } | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #failure: FileError | undefined;
  #isFailureTold = false;

  /** @param handle opened to append; the writer closes it */
  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Whether a failed write was thrown already. */
  get isFailureTold(): boolean {
    return this.#isFailureTold;
  }

  /** @throws FileError ERR_FILE_WRITE, then and at every later call: a line may be torn, so nothing may follow it */
  append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text: `${line}\n`, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Waits until all that was appended is on the disk. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#sync !== undefined) {
      clearTimeout(this.#sync.timer);
      this.#sync.done();
    }
    await this.#syncing;
    if (this.#failure !== undefined) throw this.#told(this.#failure);
  }

  /** Writes what waits, then closes the file, also when that fails. */
  async close(): Promise<void> {
    await this.flush().catch(async (error: unknown) => {
      await this.#handle.close().catch(() => undefined); // the first failure is the one to tell
      throw error;
    });
    await this.#handle.close();
  }

  /** Whatever has gathered while the last write was under way goes out in one. */
  async #write(): Promise<void> {
    await Promise.resolve(); // or it could end before `append` has noted that it runs
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      if (this.#failure === undefined) {
        await this.#handle
          .appendFile(batch.map(({ text }) => text).join(''))
          .catch((error: unknown) => this.#fail(error));
      }
      for (const { resolve, reject } of batch) {
        if (this.#failure === undefined) resolve();
        else reject(this.#told(this.#failure));
      }
      this.#scheduleSync();
    }
    this.#writing = undefined;
  }

  #take(): Waiting[] {
    return this.#waiting.splice(0);
  }

  /** After a write: a sync that began before its end may have missed it, and is no reason to leave this one out. */
  #scheduleSync(): void {
    if (this.#sync !== undefined || this.#failure !== undefined) return;
    const before = this.#syncing;
    this.#syncing = new Promise<void>((resolve) => {
      const done = () => {
        this.#sync = undefined;
        resolve(before.then(() => this.#syncNow()));
      };
      this.#sync = { timer: setTimeout(done, SYNC_EVERY_MS), done };
    });
  }

  async #syncNow(): Promise<void> {
    await this.#handle.datasync().catch((error: unknown) => this.#fail(error));
  }

  #fail(cause: unknown): void {
    const remedy = 'What was written before is kept; mend the cause and resume.';
    this.#failure ??= unwritable(this.#path, cause, remedy);
  }

  #told(failure: FileError): FileError {
    this.#isFailureTold = true;
    return failure;
  }
}
