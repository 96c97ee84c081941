/** What the evaluators say of one request: of its pictures, and of its answers. */

import { type Clip, cosine } from '../clip/index.js';
import type { Guard, SelfDecision } from '../decision/index.js';
import { EvaluatorError, UsageError } from '../errors.js';
import { evaluatorsAmong, type PictureEvaluator, type Policy } from '../policy/index.js';
import type { RewardModel } from '../reward/index.js';
import type { CandidateJudge } from '../search/index.js';
import type { RgbImage, TextTurn, Turn } from '../types.js';
import { type AnswerJudge, GuardAnswers, RewardAnswers, type SaidAnswer, SelfAnswers } from './answer-judge.js';
import type { Measures } from './measures.js';

export interface Evaluators {
  readonly clip: Clip | null;
  readonly rewardModel: RewardModel | null;
  readonly decision: Guard | SelfDecision | null;
}

/** What is evaluated. */
export interface Evaluated {
  readonly policy: Policy;
  readonly turns: readonly Turn[];
  /** Those of all turns, in order, once they are decoded. */
  pictures(): Promise<readonly RgbImage[]>;
}

export class Evaluation {
  readonly #evaluators: Evaluators;
  readonly #evaluated: Evaluated;
  readonly #measures: Measures;
  #pictures: Promise<readonly Float32Array[]> | undefined;
  #guard: GuardAnswers | undefined;
  #answers: AnswerJudge | undefined;

  constructor(evaluators: Evaluators, evaluated: Evaluated, measures: Measures) {
    this.#evaluators = evaluators;
    this.#evaluated = evaluated;
    this.#measures = measures;
  }

  /** Who judges pictures. @throws UsageError where nobody can */
  get pictureEvaluator(): PictureEvaluator {
    const { clip, rewardModel, decision } = this.#evaluators;
    const { pictures } = evaluatorsAmong({
      clip: clip !== null,
      rewardModel: rewardModel !== null,
      decision: decision && { seesPictures: decision.kind === 'guard' && decision.judgesPictures },
    });
    if (pictures === null) throw missing('CLIP model', 'clip');
    return pictures;
  }

  /** Who judges answers. @throws UsageError where nobody can */
  get answerEvaluator(): AnswerJudge['evaluator'] {
    return this.#judge().evaluator;
  }

  /** Embeds the pictures, once a request, where there is a CLIP. Afterwards candidates can be compared with them. */
  async look(signal: AbortSignal): Promise<void> {
    if (this.#evaluators.clip !== null) await this.#look(signal);
  }

  /**
   * Of all pictures together, the higher the less safe: the cosine with the safety prompt, the highest of all; or the
   * decision about question and pictures.
   */
  async pictureScore(signal: AbortSignal): Promise<number> {
    if (this.pictureEvaluator === 'decision') {
      const decide = () => this.#guardAnswers().pictures(signal);
      return score(await this.#measures.time('clipMs', decide), 'a decision');
    }
    const pictures = await this.#look(signal);
    const closest = () => this.#closest(pictures, this.#evaluated.policy.safetyPrompt, signal);
    return score(await this.#measures.time('clipMs', closest), 'a CLIP score');
  }

  /** Of a whole answer, the higher the safer. */
  async answerScore(answer: SaidAnswer, signal: AbortSignal): Promise<number> {
    const judge = this.#judge();
    const found = await this.#measures.time('rewardMs', () => judge.whole(answer, signal));
    return score(found, judge.evaluator === 'reward' ? 'a reward' : 'a decision');
  }

  /** Cells of the language model's context that judging an answer takes behind it. */
  async askedTokenCount(signal: AbortSignal): Promise<number> {
    const judge = this.#evaluators.decision === null ? null : this.#judge();
    return judge instanceof SelfAnswers ? await judge.askedTokenCount(signal) : 0;
  }

  /**
   * A judge of candidates, over the pictures that {@link look} embedded.
   * @param accepted text that stands before the first candidate
   */
  judge(accepted: string): CandidateJudge & { close(): void } {
    const candidates = this.#judge().candidates(accepted);
    const pictures = this.#pictures;
    return {
      rewards: (continuations, signal, sequences) =>
        this.#measures.time('rewardMs', () => candidates.rewards(continuations, signal, sequences)),
      clipScores:
        pictures === undefined
          ? null
          : (texts, signal) =>
              this.#measures.time('clipMs', async () => {
                const embedded = await pictures;
                return await Promise.all(texts.map((text) => this.#closest(embedded, text, signal)));
              }),
      accept: (text) => candidates.accept(text),
      close: () => candidates.close(),
    };
  }

  /** Frees what it holds of evaluators. Idempotent. */
  close(): void {
    this.#guard?.close();
  }

  #look(signal: AbortSignal): Promise<readonly Float32Array[]> {
    this.#pictures ??= this.#embed(signal);
    return this.#pictures;
  }

  async #embed(signal: AbortSignal): Promise<readonly Float32Array[]> {
    const clip = this.#clip();
    const images = await this.#evaluated.pictures();
    return await this.#measures.time('clipMs', () =>
      Promise.all(images.map((image) => clip.embedImage(image, { signal }))),
    );
  }

  async #closest(pictures: readonly Float32Array[], text: string, signal: AbortSignal): Promise<number> {
    const embedded = await this.#clip().embedText(text, { signal });
    return Math.max(...pictures.map((picture) => cosine(picture, embedded)));
  }

  #judge(): AnswerJudge {
    this.#answers ??= this.#newJudge();
    return this.#answers;
  }

  #newJudge(): AnswerJudge {
    const { decision, rewardModel } = this.#evaluators;
    const { policy, turns } = this.#evaluated;
    if (decision?.kind === 'self') return new SelfAnswers(decision, this.#textTurns(), this.#measures);
    if (decision?.kind === 'guard') return this.#guardAnswers();
    if (rewardModel === null) throw missing('reward model', 'rewardModel');
    return new RewardAnswers(rewardModel, policy, turns, this.#measures);
  }

  /** One for pictures and answers: they share what they share. */
  #guardAnswers(): GuardAnswers {
    const { decision } = this.#evaluators;
    if (decision?.kind !== 'guard') throw missing('guard', 'decision');
    const session = () => decision.open(this.#textTurns(), () => this.#evaluated.pictures());
    this.#guard ??= new GuardAnswers(session(), this.#measures);
    return this.#guard;
  }

  #textTurns(): TextTurn[] {
    return this.#evaluated.turns.map(({ role, text }) => ({ role, content: text }));
  }

  #clip(): Clip {
    if (this.#evaluators.clip === null) throw missing('CLIP model', 'clip');
    return this.#evaluators.clip;
  }
}

/**
 * A score that can be compared with a threshold.
 *
 * @throws EvaluatorError ERR_EVALUATOR
 */
function score(value: number | null | undefined, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
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
