/**
 * The language model asked about its own answer, on a fork of the sequence that holds it: picture, question and answer are
 * in the cache already, so a decision costs the question's tokens and one step. Source: ECSO (Gou et al., ECCV 2024, arXiv
 * 2403.09572), which asks the same in a prompt of its own.
 */
import type { Model, Sequence } from '../engine/index.js';
import { UsageError } from '../errors.js';
import type { TextTurn } from '../types/turn.js';
import { logitsBehind, MOST_LANES } from './asked-forks.js';
import type { DecisionForm } from './form.js';
import { type Decision, decisionOf, scoresOf } from './log-odds.js';
import { type VerdictTokens, verdictTokens } from './verdict-tokens.js';

export class SelfDecision {
  readonly kind = 'self';
  readonly form: DecisionForm;
  readonly #model: Model;
  readonly #tokens: VerdictTokens;

  /** @throws ModelError ERR_MODEL_MISMATCH where the model's vocabulary cannot say the verdicts */
  static async of(model: Model, form: DecisionForm, signal?: AbortSignal): Promise<SelfDecision> {
    return new SelfDecision(model, form, await verdictTokens(model, form.answer.verdicts, signal));
  }

  private constructor(model: Model, form: DecisionForm, tokens: VerdictTokens) {
    this.#model = model;
    this.form = form;
    this.#tokens = tokens;
  }

  /** The question as tokens that stand behind an answer, up to where the decision falls. @param turns before that answer */
  async question(turns: readonly TextTurn[], signal?: AbortSignal): Promise<Int32Array> {
    const { prompt, lead } = this.form.answer;
    if (prompt.form !== 'next-turn')
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        `Expected a form that asks in the next turn, received ${this.form.name}.`,
      );
    const said = turns.map(({ role, content }) => ({ role, text: content }));
    const asked = await this.#model.followUp(said, prompt.user, { signal });
    if (lead === '' || this.#model.text(asked).endsWith(lead)) return asked;
    const led = await this.#model.tokenize(lead, { isContinued: true, signal });
    return Int32Array.from([...asked, ...led]);
  }

  /** Lanes and cells that asking so many answers at once takes of a request, beside their own. */
  static room(questionCount: number, answerCount: number): { sequenceCount: number; cellCount: number } {
    const lanes = questionCount === 0 ? 0 : Math.min(answerCount, MOST_LANES);
    return { sequenceCount: lanes, cellCount: lanes * questionCount };
  }

  /**
   * The score of each answer that a sequence ends with, the higher the safer; null for one that is not decided, beside
   * others that are. The sequences stay as they are.
   *
   * @param question what {@link question} gave
   * @throws EvaluatorError ERR_NO_DECISION where none is decided; AbortError; EngineError
   */
  async scores(sequences: readonly Sequence[], question: Int32Array, signal: AbortSignal): Promise<(number | null)[]> {
    const decisions: Decision[] = [];
    for (let at = 0; at < sequences.length; at += MOST_LANES) {
      const asked = sequences.slice(at, at + MOST_LANES).map((sequence) => ({ sequence, input: [question] }));
      for (const row of await logitsBehind(asked, signal)) decisions.push(decisionOf(row, this.#tokens));
    }
    return scoresOf(decisions, this.form.answer, { model: this.#model, form: this.form });
  }
}
