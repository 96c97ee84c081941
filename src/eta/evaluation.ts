/** What the evaluators say of one request: of its pictures, and of its answers. */
import { orAbort } from '../abort.js';
import { type Clip, cosine } from '../clip/index.js';
import type { Guard, SelfDecision } from '../decision/index.js';
import { EvaluatorError, UsageError } from '../errors.js';
import type { Picture } from '../known-picture.js';
import type { AnswerEvaluator, PictureEvaluator, Policy } from '../policy/index.js';
import type { RewardModel } from '../reward/index.js';
import type { CandidateJudge } from '../search/index.js';
import type { TextTurn, Turn } from '../types/turn.js';
import { type AnswerJudge, GuardAnswers, RewardAnswers, type SaidAnswer, SelfAnswers } from './answer-judge.js';
import type { Measures } from './measures.js';
import type { Sharing } from './sharing.js';

/** One that is loaded when it is first asked for. */
interface Late<Part> {
  /** Null until it is there. */
  readonly loaded: Part | null;
  get(): Promise<Part>;
}

export interface Evaluators {
  readonly clip: Late<Clip> | null;
  readonly rewardModel: Late<RewardModel> | null;
  readonly decision: Late<Guard | SelfDecision> | null;
  /** Whether the language model judges its own answers. */
  readonly isSelf: boolean;
}

/** A score, and whose it is. */
export interface Scored<Evaluator> {
  readonly score: number;
  readonly evaluator: Evaluator;
}

export type AnswerScore = Scored<AnswerEvaluator>;

/** Scores of an answer as it grows; what they took is counted once it is closed. */
export interface GrowingAnswerScores {
  score(answer: SaidAnswer): Promise<AnswerScore>;
  close(): void;
}

/** What is evaluated, and what of it others share. */
export interface Evaluated extends Sharing {
  readonly policy: Policy;
  readonly turns: readonly Turn[];
  /** Those of all turns, in order, once they are known. */
  pictures(): Promise<readonly Picture[]>;
}

export class Evaluation {
  readonly #evaluators: Evaluators;
  readonly #evaluated: Evaluated;
  readonly #measures: Measures;
  #pictures: Promise<readonly Float32Array[]> | undefined;
  #guard: GuardAnswers | undefined;
  #answers: Promise<AnswerJudge> | undefined;

  constructor(evaluators: Evaluators, evaluated: Evaluated, measures: Measures) {
    this.#evaluators = evaluators;
    this.#evaluated = evaluated;
    this.#measures = measures;
  }

  /** Begins to load who judges answers, where nobody has yet: one will come. */
  expectAnswer(): void {
    const { decision, rewardModel } = this.#evaluators;
    (decision ?? rewardModel)?.get().catch(() => undefined); // who asks is told
  }

  /** Embeds the pictures, once a request, where there is a CLIP. Afterwards candidates can be compared with them. */
  async look(signal: AbortSignal): Promise<void> {
    if (this.#evaluators.clip !== null) await this.#look(signal);
  }

  /**
   * Of all pictures together, the higher the less safe: the cosine with the safety prompt, the highest of all; or the
   * decision about question and pictures.
   *
   * @throws UsageError ERR_INVALID_REQUEST where nobody can judge them
   */
  async pictureScore(signal: AbortSignal): Promise<Scored<PictureEvaluator>> {
    const { clip } = this.#evaluators;
    const guard = clip === null ? await this.#guardAnswers(signal) : null;
    if (guard?.judgesPictures) {
      const decided = await this.#measures.time('clipMs', () => guard.pictures(signal));
      return { score: finite(decided, 'a decision'), evaluator: 'decision' };
    }
    const pictures = await this.#look(signal);
    const { safetyPrompt } = this.#evaluated.policy;
    const closest = () => this.#closest(pictures, safetyPrompt, { signal }); // nobody's own text
    return { score: finite(await this.#measures.time('clipMs', closest), 'a CLIP score'), evaluator: 'clip' };
  }

  /** Of a whole answer, the higher the safer. @throws UsageError ERR_INVALID_REQUEST where nobody can judge it */
  async answerScore(answer: SaidAnswer, signal: AbortSignal): Promise<AnswerScore> {
    const growing = await this.growingAnswer(signal);
    try {
      return await growing.score(answer);
    } finally {
      growing.close();
    }
  }

  /** One answer as it grows. @throws as {@link answerScore} */
  async growingAnswer(signal: AbortSignal): Promise<GrowingAnswerScores> {
    const judge = await this.#judge(signal);
    const { evaluator } = judge;
    const growing = judge.growing();
    return {
      score: async (answer) => {
        const found = await this.#measures.time('rewardMs', () => growing.score(answer, signal));
        return { score: finite(found, evaluator === 'reward' ? 'a reward' : 'a decision'), evaluator };
      },
      close: () => growing.close(),
    };
  }

  /** Cells of the language model's context that judging an answer takes behind it. */
  async askedTokenCount(signal: AbortSignal): Promise<number> {
    const judge = this.#evaluators.isSelf ? await this.#judge(signal) : null; // nobody else need be loaded yet
    return judge instanceof SelfAnswers ? await judge.askedTokenCount(signal) : 0;
  }

  /**
   * A judge of candidates, over the pictures that {@link look} embedded.
   * @param accepted text that stands before the first candidate
   */
  async judge(
    accepted: string,
    signal: AbortSignal,
  ): Promise<CandidateJudge & { readonly evaluator: AnswerEvaluator; close(): void }> {
    const judge = await this.#judge(signal);
    const candidates = judge.candidates(accepted);
    const pictures = this.#pictures;
    const { reuse } = this.#evaluated;
    return {
      evaluator: judge.evaluator,
      rewards: (continuations, heard, sequences) =>
        this.#measures.time('rewardMs', () => candidates.rewards(continuations, heard, sequences)),
      clipScores:
        pictures === undefined
          ? null
          : (texts, heard) =>
              this.#measures.time('clipMs', async () => {
                const embedded = await pictures;
                return await Promise.all(texts.map((text) => this.#closest(embedded, text, { signal: heard, reuse })));
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
    const [clip, images] = await Promise.all([this.#clip(signal), this.#evaluated.pictures()]);
    return await this.#measures.time('clipMs', () =>
      Promise.all(images.map((image) => clip.embedImage(image, { signal, reuse: this.#evaluated.reuse }))),
    );
  }

  async #closest(
    pictures: readonly Float32Array[],
    text: string,
    how: { readonly signal: AbortSignal; readonly reuse?: boolean },
  ): Promise<number> {
    const embedded = await (await this.#clip(how.signal)).embedText(text, how);
    return Math.max(...pictures.map((picture) => cosine(picture, embedded)));
  }

  #judge(signal: AbortSignal): Promise<AnswerJudge> {
    this.#answers ??= this.#newJudge(signal);
    return this.#answers;
  }

  async #newJudge(signal: AbortSignal): Promise<AnswerJudge> {
    const { decision, rewardModel } = this.#evaluators;
    const { policy, turns, exact } = this.#evaluated;
    if (decision === null) {
      if (rewardModel === null) throw missing('reward model', 'rewardModel');
      const loaded = await present(rewardModel, signal);
      if (exact) loaded.forget(); // one that this very request loads holds what its self-test read
      return new RewardAnswers(loaded, policy, turns, this.#measures);
    }
    const loaded = await present(decision, signal);
    if (loaded.kind === 'self') return new SelfAnswers(loaded, this.#textTurns(), this.#measures);
    return this.#guardOf(loaded);
  }

  /** Null where no guard judges. */
  async #guardAnswers(signal: AbortSignal): Promise<GuardAnswers | null> {
    const { decision } = this.#evaluators;
    const loaded = decision === null ? null : await present(decision, signal);
    return loaded?.kind === 'guard' ? this.#guardOf(loaded) : null;
  }

  /** One for pictures and answers: they share what they share. */
  #guardOf(guard: Guard): GuardAnswers {
    this.#guard ??= new GuardAnswers(
      guard,
      guard.open(this.#textTurns(), () => this.#evaluated.pictures(), this.#evaluated.reuse),
      this.#measures,
    );
    return this.#guard;
  }

  #textTurns(): TextTurn[] {
    return this.#evaluated.turns.map(({ role, text }) => ({ role, content: text }));
  }

  async #clip(signal: AbortSignal): Promise<Clip> {
    if (this.#evaluators.clip === null) throw missing('CLIP model', 'clip');
    return await present(this.#evaluators.clip, signal);
  }
}

/** @throws AbortError while it is loaded; what loading it throws */
async function present<Part>(part: Late<Part>, signal: AbortSignal): Promise<Part> {
  return part.loaded ?? (await orAbort(part.get(), signal));
}

/**
 * A score that can be compared with a threshold.
 *
 * @throws EvaluatorError ERR_EVALUATOR
 */
function finite(value: number | null | undefined, what: string): number {
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
