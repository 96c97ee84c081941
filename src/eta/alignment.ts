/** Evaluate, then align: the answer that nobody trusted made again, and the rungs of the ladder while it is unsafe still. */
import type { EtaResult } from '../types/result.js';
import type { Judgement } from '../types/verdict.js';
import { type AlignedAnswer, alignedAnswer } from './aligned-answer.js';
import { Ladder } from './ladder.js';
import { goneTokens, joint } from './lead.js';
import type { Question } from './question.js';
import type { RequestRun } from './request-run.js';
import { type Beginning, NOTHING } from './sentence-checks.js';

/** An answer that was made again, and what was found of it. */
interface JudgedAnswer extends AlignedAnswer {
  readonly judgement: Judgement;
}

export class Alignment {
  readonly #run: RequestRun;
  readonly #ladder: Ladder;

  constructor(run: RequestRun) {
    this.#run = run;
    this.#ladder = new Ladder(run);
  }

  /** Gives back what its last answer holds. Idempotent. */
  async release(): Promise<void> {
    await this.#ladder.release();
  }

  /**
   * The answer made again; held back until its own reward is known, unless the policy returns it anyway.
   *
   * @param gone what has gone out of the model's own
   * @throws AbortError within one step of the signal; what the engine and the evaluators throw
   */
  async align(question: Question, gone: Beginning = NOTHING): Promise<EtaResult> {
    const { parts, request, plan, signal } = this.#run;
    const { policy } = request;
    const isUnsafe = (made: JudgedAnswer) => policy.whenStillUnsafe === 'refuse' && made.judgement.isUnsafe;
    const aligned = plan.ownRung === null ? await this.#aligned(question, gone) : null;
    const last =
      aligned === null || isUnsafe(aligned) ? await this.#climb(question, { before: aligned, gone }) : aligned;
    if (last === null || isUnsafe(last)) {
      const refusal = policy.refusalText.trim();
      const added = gone.text === '' ? refusal : joint(gone.text, request.stops) + refusal;
      this.#run.giveOut(added);
      const { length: tokenCount } = await parts.model.tokenize(policy.refusalText, { signal });
      const goneCount = last?.goneCount ?? (await goneTokens(parts.model, gone)).length;
      return this.#run.finish('refused', gone.text + added, 'refusal', goneCount + tokenCount);
    }
    this.#run.keep(last.sequence);
    last.answer.open();
    const tokenCount = this.#run.tokenCount(last.made, last.tokens, last.answer);
    return this.#run.finish('aligned', last.answer.text, last.stopReason, tokenCount);
  }

  /** By prefix, search, or both. */
  async #aligned(question: Question, gone: Beginning): Promise<JudgedAnswer> {
    const { request, pictures, plan, evaluation, recorder, signal } = this.#run;
    const { policy } = request;
    const answer = this.#run.answerText(gone);
    if (policy.whenStillUnsafe === 'return') answer.open();
    if (pictures.count > 0 && plan.usesSearch) {
      await evaluation.look(signal); // known already, except where the reward alone gates
    }
    const made = await alignedAnswer(question, this.#run, {
      policy,
      rung: 'search',
      answer,
      gone,
      onRound: (round) => {
        recorder.roundEnded(round);
        this.#run.emit({ type: 'round', round });
      },
    });
    return await this.#judged(made);
  }

  /**
   * The first answer of the ladder that is safe, else the last one; where no rung applies, what was there before: null where a
   * method's own rung found no room.
   */
  async #climb(
    question: Question,
    { before, gone }: { readonly before: JudgedAnswer | null; readonly gone: Beginning },
  ): Promise<JudgedAnswer | null> {
    let last = before;
    for await (const made of this.#ladder.answers(question.lease, gone)) {
      if (last !== null && last === before) this.#tried(before);
      last = await this.#judged(made);
      this.#tried(last);
      if (!last.judgement.isUnsafe) break;
    }
    return last;
  }

  async #judged(made: AlignedAnswer): Promise<JudgedAnswer> {
    const { answer, sequence, stopReason } = made;
    const judgement = await this.#run.judge({ text: answer.text, sequence });
    this.#run.recorder.aligned(answer.text, stopReason, judgement);
    return { ...made, judgement };
  }

  #tried({ how, answer, stopReason, judgement, sampledTokenCount }: JudgedAnswer): void {
    const rung = Object.freeze({ ...how, text: answer.text, stopReason, judgement, sampledTokenCount });
    this.#run.recorder.rungTried(rung);
    this.#run.emit({ type: 'rung', rung });
  }
}
