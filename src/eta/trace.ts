/** What happened in one request, gathered as it happens. */

import { planOf } from '../policy/index.js';
import type { StopReason } from '../types/stop-reason.js';
import type { RoundTrace, RungTrace, SentenceTrace, Trace } from '../types/trace.js';
import type { Action, Judgement, Verdict } from '../types/verdict.js';
import type { CheckedRequest } from './request.js';

export class TraceRecorder {
  readonly #request: Pick<CheckedRequest, 'policy' | 'thresholds' | 'thresholdSources'>;
  readonly #rounds: RoundTrace[] = [];
  readonly #sentences: SentenceTrace[] = [];
  readonly #rungs: RungTrace[] = [];
  #verdict: Omit<Verdict, 'action'> = { picture: null, answer: null, final: null };
  #vanilla: Pick<Trace, 'vanillaText' | 'vanillaStopReason'> = { vanillaText: null, vanillaStopReason: null };
  #aligned: Pick<Trace, 'alignedText' | 'alignedStopReason'> = { alignedText: null, alignedStopReason: null };

  constructor(request: Pick<CheckedRequest, 'policy' | 'thresholds' | 'thresholdSources'>) {
    this.#request = request;
  }

  pictureJudged(picture: Judgement): void {
    this.#verdict = { ...this.#verdict, picture };
  }

  sentenceJudged(sentence: SentenceTrace): void {
    this.#sentences.push(sentence);
  }

  /** @param stopReason null for what was stopped because a sentence is unsafe */
  answered(text: string, stopReason: StopReason | null): void {
    this.#vanilla = { vanillaText: text, vanillaStopReason: stopReason };
  }

  answerJudged(answer: Judgement): void {
    this.#verdict = { ...this.#verdict, answer };
  }

  roundEnded(round: RoundTrace): void {
    this.#rounds.push(round);
  }

  aligned(text: string, stopReason: StopReason, final: Judgement): void {
    this.#aligned = { alignedText: text, alignedStopReason: stopReason };
    this.#verdict = { ...this.#verdict, final };
  }

  rungTried(rung: RungTrace): void {
    this.#rungs.push(rung);
  }

  verdict(action: Action): Verdict {
    const rungs = this.#rungs.map(({ rung, judgement, sampledTokenCount }) => ({ rung, judgement, sampledTokenCount }));
    return { action, ...this.#verdict, ...(rungs.length > 0 && { rungs }) };
  }

  trace(): Trace {
    const { policy, thresholds, thresholdSources } = this.#request;
    const { method, gate, interferencePrefix } = policy;
    return {
      method,
      policy: policy.name,
      ...(gate !== null && { gate }),
      thresholds,
      thresholdSources,
      ...this.#vanilla,
      ...(this.#sentences.length > 0 && { sentences: [...this.#sentences] }),
      interferencePrefix: planOf(policy).usesPrefix ? interferencePrefix : '',
      rounds: [...this.#rounds],
      ...this.#aligned,
      ...(this.#rungs.length > 0 && { rungs: [...this.#rungs] }),
    };
  }
}
