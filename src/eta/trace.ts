/** What happened in one request, gathered as it happens. */
import type { Action, RoundTrace, Trace, Verdict } from '../types.js';
import type { Policy } from './defaults.js';
import { METHOD_PLANS, type ThresholdSources, type Thresholds } from './methods.js';
import type { EtaJob } from './request.js';

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
  #vanillaText: string | null = null;
  #alignedText: string | null = null;

  constructor(
    preset: string,
    { policy, thresholds, thresholdSources }: Pick<EtaJob, 'policy' | 'thresholds' | 'thresholdSources'>,
  ) {
    this.#preset = preset;
    this.#policy = policy;
    this.#thresholds = thresholds;
    this.#thresholdSources = thresholdSources;
  }

  imageJudged(clipScore: number, imageIsUnsafe: boolean): void {
    this.#verdict = { ...this.#verdict, clipScore, imageIsUnsafe };
  }

  answered(text: string): void {
    this.#vanillaText = text;
  }

  answerJudged(reward: number, answerIsUnsafe: boolean): void {
    this.#verdict = { ...this.#verdict, reward, answerIsUnsafe };
  }

  roundEnded(round: RoundTrace): void {
    this.#rounds.push(round);
  }

  aligned(text: string, finalReward: number): void {
    this.#alignedText = text;
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
      vanillaText: this.#vanillaText,
      interferencePrefix: METHOD_PLANS[method].usesPrefix ? interferencePrefix : '',
      rounds: [...this.#rounds],
      alignedText: this.#alignedText,
    };
  }
}
