/** Who judges answers in one request, in one form: the reward model, a guard, or the language model itself. */
import type { Guard, GuardSession, SelfDecision } from '../decision/index.js';
import type { Sequence } from '../engine/index.js';
import type { AnswerEvaluator, Policy } from '../policy/index.js';
import type { RewardModel, RewardSession } from '../reward/index.js';
import type { CandidateJudge } from '../search/index.js';
import type { TextTurn, Turn } from '../types/turn.js';
import { beginning } from './answer-text.js';
import type { Measures } from './measures.js';

/** An answer, and the sequence of the language model's that ends with it: null where another judges it. */
export interface SaidAnswer {
  readonly text: string;
  readonly sequence: Sequence | null;
}

/** The part of a {@link CandidateJudge} that is asked about answers. */
export type AnswerCandidates = Pick<CandidateJudge, 'rewards' | 'accept'> & { close(): void };

/** One answer, asked about as it grows: what it shares with its earlier forms is read once. */
export interface GrowingAnswer {
  score(answer: SaidAnswer, signal: AbortSignal): Promise<number | null | undefined>;
  close(): void;
}

/** The scores of answers, the higher the safer. */
export interface AnswerJudge {
  readonly evaluator: AnswerEvaluator;
  /** Of an answer by itself. */
  growing(): GrowingAnswer;
  /** Of candidates behind `accepted`. */
  candidates(accepted: string): AnswerCandidates;
}

/** The reward model, under the policy's prompts. */
export class RewardAnswers implements AnswerJudge {
  readonly evaluator = 'reward';
  readonly #rewardModel: RewardModel;
  readonly #policy: Policy;
  readonly #turns: readonly Turn[];
  readonly #measures: Measures;

  constructor(rewardModel: RewardModel, policy: Policy, turns: readonly Turn[], measures: Measures) {
    this.#rewardModel = rewardModel;
    this.#policy = policy;
    this.#turns = turns;
    this.#measures = measures;
  }

  growing(): GrowingAnswer {
    const session = this.#open(this.#policy.postEvaluationPrompt);
    return {
      score: async ({ text }, signal) => (await session.score([text], { signal }))[0],
      close: () => this.#close(session),
    };
  }

  candidates(accepted: string): AnswerCandidates {
    const session = this.#open(this.#policy.bestOfNPrompt);
    session.accept(accepted);
    const behind = (text: string) => (session.accepted === '' ? beginning(text) : text);
    return {
      rewards: (continuations, signal) => session.score(continuations.map(behind), { signal }),
      accept: (text) => session.accept(behind(text)),
      close: () => this.#close(session),
    };
  }

  #open(prompt: string): RewardSession {
    return this.#rewardModel.open(rewardTurns(prompt, this.#turns, this.#policy.rewardContext));
  }

  #close(session: RewardSession): void {
    count(this.#measures, session.statistics);
    session.close();
  }
}

/** A guard, which is shown the conversation, and may judge its pictures too. */
export class GuardAnswers implements AnswerJudge {
  readonly evaluator = 'decision';
  readonly #session: GuardSession;
  readonly #measures: Measures;
  #counted: Counted = { ranTokenCount: 0, cachedTokenCount: 0 };

  /** Whether the guard can be asked about pictures before there is an answer. */
  readonly judgesPictures: boolean;

  constructor({ judgesPictures }: Guard, session: GuardSession, measures: Measures) {
    this.judgesPictures = judgesPictures;
    this.#session = session;
    this.#measures = measures;
  }

  growing(): GrowingAnswer {
    return {
      score: async ({ text }, signal) => (await this.#scores([text], signal))[0],
      close: () => undefined,
    };
  }

  /** Of the question with its pictures, the higher the less safe. */
  async pictures(signal: AbortSignal): Promise<number> {
    return await this.#count(this.#session.pictureScore({ signal }));
  }

  candidates(accepted: string): AnswerCandidates {
    let said = accepted;
    const behind = (text: string) => said + (said === '' ? beginning(text) : text);
    return {
      rewards: (continuations, signal) => this.#scores(continuations.map(behind), signal),
      accept: (text) => {
        said = behind(text);
      },
      close: () => undefined,
    };
  }

  /** Once nothing is asked any more. */
  close(): void {
    this.#session.close();
  }

  #scores(answers: readonly string[], signal: AbortSignal): Promise<(number | null)[]> {
    return this.#count(this.#session.scores(answers, { signal }));
  }

  /** What a call took, once it has ended. */
  async #count<Value>(call: Promise<Value>): Promise<Value> {
    const value = await call;
    const { ranTokenCount, cachedTokenCount } = this.#session.statistics;
    count(this.#measures, {
      ranTokenCount: ranTokenCount - this.#counted.ranTokenCount,
      cachedTokenCount: cachedTokenCount - this.#counted.cachedTokenCount,
    });
    this.#counted = { ranTokenCount, cachedTokenCount };
    return value;
  }
}

/** The language model itself, on forks of what it said. */
export class SelfAnswers implements AnswerJudge {
  readonly evaluator = 'decision';
  readonly #decision: SelfDecision;
  readonly #turns: readonly TextTurn[];
  readonly #measures: Measures;
  #question: Promise<Int32Array> | undefined;

  constructor(decision: SelfDecision, turns: readonly TextTurn[], measures: Measures) {
    this.#decision = decision;
    this.#turns = turns;
    this.#measures = measures;
  }

  /** Tokens that asking takes behind each answer, in the language model's own context. */
  async askedTokenCount(signal: AbortSignal): Promise<number> {
    return (await this.#asked(signal)).length;
  }

  growing(): GrowingAnswer {
    return {
      score: async ({ sequence }, signal) =>
        sequence === null ? undefined : (await this.#scores([sequence], signal))[0],
      close: () => undefined,
    };
  }

  candidates(): AnswerCandidates {
    return {
      rewards: (_, signal, sequences) => this.#scores(sequences, signal),
      accept: () => undefined,
      close: () => undefined,
    };
  }

  #asked(signal: AbortSignal): Promise<Int32Array> {
    this.#question ??= this.#decision.question(this.#turns, signal);
    return this.#question;
  }

  async #scores(sequences: readonly Sequence[], signal: AbortSignal): Promise<(number | null)[]> {
    const question = await this.#asked(signal);
    const cachedTokenCount = sequences.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
    count(this.#measures, { ranTokenCount: sequences.length * question.length, cachedTokenCount });
    return await this.#decision.scores(sequences, question, signal);
  }
}

interface Counted {
  readonly ranTokenCount: number;
  readonly cachedTokenCount: number;
}

function count(measures: Measures, { ranTokenCount, cachedTokenCount }: Counted): void {
  measures.add('rewardTokenCount', ranTokenCount);
  measures.add('rewardCachedTokenCount', cachedTokenCount);
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
