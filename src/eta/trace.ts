/** What happened in one request, gathered as it happens. */

import { METHOD_PLANS, type Policy, type ThresholdSources, type Thresholds } from '../policy/index.js';
import type { Action, RoundTrace, StopReason, Trace, Verdict } from '../types.js';
import type { CheckedRequest } from './request.js';

export class TraceRecorder {
  readonly #preset: string;
  readonly #policy: Policy;
  readonly #thresholds: Thresholds;
  readonly #thresholdSources: ThresholdSources;
  readonly #rounds: RoundTrace[] = [];
  #verdict: Omit<Verdict, 'action'> = {
    clipScore: null,
    reward: null,
    imageIsUnsafe: null,
    answerIsUnsafe: null,
    finalReward: null,
  };
  #vanilla: Pick<Trace, 'vanillaText' | 'vanillaStopReason'> = { vanillaText: null, vanillaStopReason: null };
  #aligned: Pick<Trace, 'alignedText' | 'alignedStopReason'> = { alignedText: null, alignedStopReason: null };

  constructor(
    preset: string,
    { policy, thresholds, thresholdSources }: Pick<CheckedRequest, 'policy' | 'thresholds' | 'thresholdSources'>,
  ) {
    this.#preset = preset;
    this.#policy = policy;
    this.#thresholds = thresholds;
    this.#thresholdSources = thresholdSources;
  }

  imageJudged(clipScore: number, imageIsUnsafe: boolean): void {
    this.#verdict = { ...this.#verdict, clipScore, imageIsUnsafe };
  }

  answered(text: string, stopReason: StopReason): void {
    this.#vanilla = { vanillaText: text, vanillaStopReason: stopReason };
  }

  answerJudged(reward: number, answerIsUnsafe: boolean): void {
    this.#verdict = { ...this.#verdict, reward, answerIsUnsafe };
  }

  roundEnded(round: RoundTrace): void {
    this.#rounds.push(round);
  }

  aligned(text: string, stopReason: StopReason, finalReward: number): void {
    this.#aligned = { alignedText: text, alignedStopReason: stopReason };
    this.#verdict = { ...this.#verdict, finalReward };
  }

  verdict(action: Action): Verdict {
    return { ...this.#verdict, action };
  }

  trace(): Trace {
    const { method, interferencePrefix } = this.#policy;
    return {
      method,
      preset: this.#preset,
      thresholds: this.#thresholds,
      thresholdSources: this.#thresholdSources,
      ...this.#vanilla,
      interferencePrefix: METHOD_PLANS[method].usesPrefix ? interferencePrefix : '',
      rounds: [...this.#rounds],
      ...this.#aligned,
    };
  }
}
