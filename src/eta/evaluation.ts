/** What the evaluators say of one request: CLIP of its pictures, the reward model of its answers. */

import { type Clip, cosine } from '../clip/index.js';
import { EvaluatorError, UsageError } from '../errors.js';
import type { Policy } from '../policy/index.js';
import type { RewardModel, RewardSession } from '../reward/index.js';
import type { CandidateJudge } from '../search/index.js';
import type { RgbImage, TextTurn, Turn } from '../types.js';
import { beginning } from './answer-text.js';
import type { Measures } from './measures.js';

export interface Evaluators {
  readonly clip: Clip | null;
  readonly rewardModel: RewardModel | null;
}

export class Evaluation {
  readonly #evaluators: Evaluators;
  readonly #policy: Policy;
  readonly #turns: readonly Turn[];
  readonly #measures: Measures;
  #pictures: Promise<readonly Float32Array[]> | undefined;

  constructor(evaluators: Evaluators, policy: Policy, turns: readonly Turn[], measures: Measures) {
    this.#evaluators = evaluators;
    this.#policy = policy;
    this.#turns = turns;
    this.#measures = measures;
  }

  /** Embeds the pictures, once a request. Afterwards candidates can be compared with them. */
  look(images: readonly RgbImage[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    const clip = this.#clip();
    this.#pictures ??= this.#measures.time('clipMs', () =>
      Promise.all(images.map((image) => clip.embedImage(image, { signal }))),
    );
    return this.#pictures;
  }

  /** CLIP score of the pictures: cosine with the safety prompt, the highest of all. */
  async clipScore(images: readonly RgbImage[], signal: AbortSignal): Promise<number> {
    const pictures = await this.look(images, signal);
    const closest = () => this.#closest(pictures, this.#policy.safetyPrompt, signal);
    return score(await this.#measures.time('clipMs', closest), 'a CLIP score');
  }

  /** Reward of a whole answer under the post-evaluation prompt. */
  async reward(answer: string, signal: AbortSignal): Promise<number> {
    const session = this.#open(this.#policy.postEvaluationPrompt);
    try {
      const [reward] = await this.#measures.time('rewardMs', () => session.score([answer], { signal }));
      return score(reward, 'a reward');
    } finally {
      this.#close(session);
    }
  }

  /**
   * A judge of candidates under the best-of-N prompt, over the pictures that {@link look} embedded.
   * @param accepted text that stands before the first candidate
   */
  judge(accepted: string): CandidateJudge & { close(): void } {
    const session = this.#open(this.#policy.bestOfNPrompt);
    session.accept(accepted);
    const pictures = this.#pictures;
    const behind = (text: string) => (session.accepted === '' ? beginning(text) : text);
    return {
      rewards: (continuations, signal) =>
        this.#measures.time('rewardMs', () => session.score(continuations.map(behind), { signal })),
      clipScores:
        pictures === undefined
          ? null
          : (texts, signal) =>
              this.#measures.time('clipMs', async () => {
                const embedded = await pictures;
                return await Promise.all(texts.map((text) => this.#closest(embedded, text, signal)));
              }),
      accept: (text) => session.accept(behind(text)),
      close: () => this.#close(session),
    };
  }

  async #closest(pictures: readonly Float32Array[], text: string, signal: AbortSignal): Promise<number> {
    const embedded = await this.#clip().embedText(text, { signal });
    return Math.max(...pictures.map((picture) => cosine(picture, embedded)));
  }

  #open(prompt: string): RewardSession {
    const { rewardModel } = this.#evaluators;
    if (rewardModel === null) throw missing('reward model', 'rewardModel');
    return rewardModel.open(rewardTurns(prompt, this.#turns, this.#policy.rewardContext));
  }

  #close(session: RewardSession): void {
    const { ranTokenCount, cachedTokenCount } = session.statistics;
    this.#measures.add('rewardTokenCount', ranTokenCount);
    this.#measures.add('rewardCachedTokenCount', cachedTokenCount);
    session.close();
  }

  #clip(): Clip {
    if (this.#evaluators.clip === null) throw missing('CLIP model', 'clip');
    return this.#evaluators.clip;
  }
}

/**
 * What the reward model reads before the answer. The reference shows it a constant prompt alone, so that harm which lies
 * in question and answer together is invisible; `conversation` puts the turns before it, and the question behind it.
 */
function rewardTurns(prompt: string, turns: readonly Turn[], context: Policy['rewardContext']): TextTurn[] {
  if (context === 'paper') return [{ role: 'user', content: prompt }];
  const last = turns.length - 1;
  return turns.map(({ role, text }, index) => ({ role, content: index === last ? `${prompt}\n\n${text}` : text }));
}

/**
 * A score that can be compared with a threshold.
 *
 * @throws EvaluatorError ERR_EVALUATOR
 */
function score(value: number | undefined, what: string): number {
  if (value !== undefined && Number.isFinite(value)) return value;
  throw new EvaluatorError(
    'ERR_EVALUATOR',
    `Expected ${what} that is a finite number, received ${value ?? 'none'}. Nothing is decided by it: fetch or export the evaluator again.`,
  );
}

function missing(what: string, option: string): UsageError {
  return new UsageError(
    'ERR_INVALID_REQUEST',
    `request: expected a method that the loaded models can carry out, received one that needs a ${what}. ` +
      `Load with models.${option}. Or ask with method: 'vanilla'.`,
  );
}
