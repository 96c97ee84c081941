/** Where the lines of a chat come from. */
import { readLines } from '../../batch/line-reader.js';
import { UsageError } from '../../errors.js';
import { write } from '../../terminal/output.js';
import { stdin } from '../../terminal/stdin.js';

export const PROMPT = '> ';
/** What is longer is no question: in bytes. */
const MOST_BYTES = 2 ** 20;

export interface Lines {
  /** The next line, without its newline; null when there are no more. @throws UsageError for one that cannot be read */
  next(): Promise<string | null>;
  /** Takes back what is typed so far; false where nothing is, or nobody can know. */
  clear(): boolean;
  close(): void;
}

/** Lines as they come: through a pipe, or from a terminal that can do no more than that. */
export class PlainLines implements Lines {
  readonly #lines = readLines(stdin(), MOST_BYTES);
  readonly #screen: NodeJS.WriteStream | null;
  #isWaiting = false;

  /** @param screen gets the sign that a line is waited for; null: nobody sits there */
  constructor(screen: NodeJS.WriteStream | null) {
    this.#screen = screen;
  }

  async next(): Promise<string | null> {
    this.#show(PROMPT);
    this.#isWaiting = true;
    const { done, value } = await this.#lines.next();
    this.#isWaiting = false;
    if (done === true) {
      this.#show('\n');
      return null;
    }
    const { number, bytes, byteCount } = value;
    if (bytes === null) throw refused(number, `at most ${MOST_BYTES} bytes, received ${byteCount}. Shorten it.`);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r$/, '');
    } catch (cause) {
      throw refused(number, 'UTF-8, received bytes that are none. Save the text as UTF-8.', cause);
    }
  }

  clear(): boolean {
    return false;
  }

  close(): void {
    if (this.#isWaiting) this.#show('\n');
    process.stdin.destroy(); // or the process would wait for it
  }

  #show(text: string): void {
    if (this.#screen !== null) write(this.#screen, text);
  }
}

function refused(number: number, expected: string, cause?: unknown): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `stdin, line ${number}: expected ${expected}`, { cause });
}
