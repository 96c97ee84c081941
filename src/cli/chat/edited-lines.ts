/** Lines that are typed and edited at a terminal, with those before them behind the arrow keys. */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { write, writeEdited } from '../../terminal/output.js';
import { type Lines, PROMPT } from './lines.js';

/** Lines that the arrow keys bring back. */
export const MOST_KEPT_LINES = 1000;

export interface EditedLinesOptions {
  readonly screen: NodeJS.WriteStream;
  /** Typed before, the oldest first. */
  readonly history: readonly string[];
  complete(line: string): Promise<[hits: string[], part: string]>;
  onInterrupt(): void;
}

/**
 * Keys are heard all the time, so that Ctrl-C reaches an answer under way; what is typed meanwhile is shown when its turn
 * comes.
 */
export class EditedLines implements Lines {
  readonly #screen: Shown;
  readonly #editor: Interface;
  /** Whole lines that came before they were asked for, as when several are pasted. */
  readonly #early: string[] = [];
  #take: ((line: string | null) => void) | null = null;
  #isClosed = false;

  constructor({ screen, history, complete, onInterrupt }: EditedLinesOptions) {
    this.#screen = new Shown(screen);
    this.#editor = createInterface({
      input: process.stdin,
      output: this.#screen,
      terminal: true,
      prompt: PROMPT,
      history: [...history].reverse(),
      historySize: MOST_KEPT_LINES,
      removeHistoryDuplicates: true,
      completer: (line: string, tell: (error: null, found: [string[], string]) => void) => {
        void complete(line).then((found) => tell(null, found));
      },
    });
    this.#editor.on('line', (line) => this.#give(line));
    this.#editor.on('SIGINT', onInterrupt);
    this.#editor.on('SIGCONT', () => this.#editor.resume());
    this.#editor.on('close', () => {
      this.#isClosed = true;
      this.#give(null);
    });
  }

  async next(): Promise<string | null> {
    const early = this.#early.shift();
    if (early !== undefined) {
      write(this.#screen.target, `${PROMPT}${early}\n`);
      return early;
    }
    if (this.#isClosed) return null;
    const typed = this.#editor.line;
    this.clear(); // nothing of it was shown yet
    this.#screen.isShown = true;
    this.#editor.prompt();
    this.#editor.write(typed);
    return await new Promise<string | null>((resolve) => {
      this.#take = resolve;
    });
  }

  clear(): boolean {
    if (this.#isClosed || this.#editor.line === '') return false;
    for (const name of ['e', 'u']) this.#editor.write(null, { ctrl: true, name }); // to its end, then all before it
    return true;
  }

  close(): void {
    if (this.#take !== null) write(this.#screen.target, '\n');
    this.#take = null;
    this.#editor.close();
  }

  #give(line: string | null): void {
    const take = this.#take;
    this.#take = null;
    this.#screen.isShown = false;
    if (take === null) {
      if (line !== null) this.#early.push(line);
      return;
    }
    if (line === null) write(this.#screen.target, '\n'); // the prompt's own line
    take(line);
  }
}

/** The terminal, or nothing while an answer is written there. */
class Shown extends Writable {
  isShown = false;
  readonly target: NodeJS.WriteStream;

  constructor(target: NodeJS.WriteStream) {
    super({ decodeStrings: false });
    this.target = target;
    target.on('resize', () => this.emit('resize'));
  }

  get columns(): number {
    return this.target.columns;
  }

  override _write(text: string, _encoding: BufferEncoding, done: () => void): void {
    if (this.isShown) writeEdited(this.target, text);
    done();
  }
}
