/** What a search has accepted, and what of it waits because it may yet become a stop text. */
import type { StopTexts } from './stop-texts.js';

/** A candidate's text behind what is accepted. */
export interface Behind {
  /** Behind what the judge has accepted, up to a stop text. */
  readonly continuation: string;
  /** Behind all that is accepted; "" where a stop text began in that. */
  readonly text: string;
  readonly isStopped: boolean;
}

export class AcceptedText {
  readonly #before: string;
  readonly #stops: StopTexts;
  /** The end that the judge has not accepted. */
  #waiting: string;
  /** Tokens of the text as it was sampled. */
  readonly tokens: number[] = [];
  #text = '';

  /** @param options.before stands before it; the judge has accepted it but for what may become a stop text */
  constructor({ before, stops }: { readonly before: string; readonly stops: StopTexts }) {
    this.#before = before;
    this.#stops = stops;
    this.#waiting = before.slice(before.length - stops.openCount(before.trimStart()));
  }

  /** Without what stands before it. */
  get text(): string {
    return this.#text;
  }

  behind(said: string): Behind {
    const grown = this.#waiting + said;
    // White space before the answer is none of it, and ends nothing.
    const isFirst = (this.#before + this.#text).trim() === '';
    const from = isFirst ? grown.length - grown.trimStart().length : 0;
    const at = this.#stops.find(grown, from);
    const continuation = at < 0 ? grown : grown.slice(0, at);
    return { continuation, text: continuation.slice(this.#waiting.length), isStopped: at >= 0 };
  }

  /** The whole with this continuation, what stands before it included. */
  whole(continuation: string): string {
    const settled = this.#before + this.#text;
    return settled.slice(0, settled.length - this.#waiting.length) + continuation;
  }

  /** Accepts a candidate. @returns what the judge is to accept */
  take(candidate: Behind & { readonly tokens: readonly number[] }): string {
    const { continuation, isStopped, tokens } = candidate;
    const whole = this.whole(continuation);
    this.#text = whole.slice(this.#before.length);
    for (const token of tokens) this.tokens.push(token);
    const waitingCount = isStopped ? 0 : this.#stops.openCount(whole.trimStart());
    this.#waiting = continuation.slice(continuation.length - waitingCount);
    return continuation.slice(0, continuation.length - waitingCount);
  }
}
