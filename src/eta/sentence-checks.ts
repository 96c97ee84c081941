/** The model's own answer on its way out sentence by sentence: each leaves once everything up to its end is found safe. */
import type { Sequence } from '../engine/index.js';
import type { SentenceTrace } from '../types/trace.js';
import type { Judgement } from '../types/verdict.js';
import type { AnswerText } from './answer-text.js';
import type { AnswerScore, GrowingAnswerScores } from './evaluation.js';

/** What an answer begins with. */
export interface Beginning {
  readonly text: string;
  /** As they were sampled; their text may have white space around it. */
  readonly tokens: readonly number[];
}

export const NOTHING: Beginning = { text: '', tokens: [] };

export interface SentenceChecksOptions {
  readonly answer: AnswerText;
  /** Whether all goes out as it comes, so that nothing is judged. */
  readonly mayStream: Promise<boolean>;
  /** Who is asked about the answer as it grows; called once, if at all. */
  open(): Promise<GrowingAnswerScores>;
  judgementOf(scored: AnswerScore): Judgement;
  /** Told before the sentence leaves. */
  onChecked(sentence: SentenceTrace): void;
  /** Runs a check; what it throws ends the request. */
  start(check: () => Promise<void>): Promise<void>;
}

export class SentenceChecks {
  readonly #options: SentenceChecksOptions;
  readonly #stopping = new AbortController();
  #asked = NOTHING;
  #accepted = NOTHING;
  #judgement: Judgement | null = null;
  #last: Promise<void> | null = null;
  #growing: Promise<GrowingAnswerScores> | null = null;

  constructor(options: SentenceChecksOptions) {
    this.#options = options;
  }

  /** What has left. */
  get accepted(): Beginning {
    return this.#accepted;
  }

  /** Of what was judged last; null where nothing was. */
  get judgement(): Judgement | null {
    return this.#judgement;
  }

  /** Whether a sentence was found unsafe: nothing leaves from then on. */
  get hasFailed(): boolean {
    return this.#judgement?.isUnsafe === true;
  }

  /** Fires when a sentence was found unsafe. */
  get stop(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * A sentence ends here. One at whose end a stop text may have begun is judged with the next.
   *
   * @param sequence ends with it, and stays as it is until it was judged; null for one that goes on
   * @returns when it was judged, or left unread
   */
  async ended(tokens: readonly number[], sequence: Sequence | null): Promise<void> {
    const { answer } = this.#options;
    if (answer.isSettled) await this.#ask({ text: answer.text, tokens: [...tokens] }, sequence);
  }

  /** The answer ends here. */
  async end(tokens: readonly number[], sequence: Sequence): Promise<void> {
    await this.#ask({ text: this.#options.answer.text, tokens }, sequence);
  }

  /** Once nothing is asked any more: what was asked counts from then on. */
  async close(): Promise<void> {
    const growing = await this.#growing?.catch(() => null); // who asked was told
    growing?.close();
  }

  #ask(asked: Beginning, sequence: Sequence | null): Promise<void> {
    if (this.#last !== null && asked.text === this.#asked.text) return this.#last;
    this.#asked = asked;
    const before = this.#last;
    this.#last = this.#options.start(async () => {
      await before;
      await this.#check(asked, sequence);
    });
    return this.#last;
  }

  async #check(asked: Beginning, sequence: Sequence | null): Promise<void> {
    const { answer, mayStream, open, judgementOf, onChecked } = this.#options;
    if ((await mayStream) || this.hasFailed) return;
    this.#growing ??= open();
    const judgement = judgementOf(await (await this.#growing).score({ text: asked.text, sequence }));
    this.#judgement = judgement;
    const { text, tokens } = this.#accepted;
    const tokenCount = asked.tokens.length - tokens.length;
    if (judgement.isUnsafe) {
      onChecked({ text: null, tokenCount, judgement });
      this.#stopping.abort();
      return;
    }
    this.#accepted = asked;
    onChecked({ text: asked.text.slice(text.length), tokenCount, judgement });
    answer.openTo(asked.text);
  }
}
