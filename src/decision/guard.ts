/**
 * A guard in llama.cpp: a model that was made to say whether a question or an answer is safe. Its verdict is read from the
 * logits behind the prompt; nothing is sampled. Conversations that begin alike, and the candidates of a round, share what
 * they share.
 */
import { ModelError, UsageError } from '../errors.js';
import type { Picture } from '../known-picture.js';
import {
  type BranchRun,
  KeptLanes,
  type KeptTokens,
  LANE_GROUP_TOKENS,
  noStatistics,
  sharedLength,
} from '../prefixes/index.js';
import { LEAST_SHARED_TOKENS } from '../shared-tokens.js';
import { Turns } from '../turns.js';
import type { TextTurn } from '../types/turn.js';
import type { DecisionForm } from './form.js';
import { GuardPrompt } from './guard-prompt.js';
import { type GuardParts, GuardSession } from './guard-session.js';
import { type GuardLoadOptions, guardContext, type OpenGuard } from './load-options.js';
import { decisionOf } from './log-odds.js';
import { verdictTokens } from './verdict-tokens.js';

const NOTHING: KeptTokens = { cache: null, ids: [] };

export class Guard {
  readonly kind = 'guard';
  readonly form: DecisionForm;
  readonly #opened: OpenGuard;
  readonly #parts: Omit<GuardParts, 'shared'>;
  #shared: Promise<KeptTokens> | undefined;
  /** Once {@link #shared} was computed. */
  #policy: KeptTokens = NOTHING;
  #disposed: Promise<void> | undefined;

  /**
   * @throws ModelError ERR_MODEL_MISMATCH for a guard that the form is not for; ERR_MODEL_INVALID for one whose memory
   * cannot be forked; what opening throws
   */
  static async load({ form, openGuard, signal, ...files }: GuardLoadOptions): Promise<Guard> {
    const opened = await openGuard({ ...files, ...guardContext(form) });
    try {
      const { model, context } = opened;
      if (!context.facts.forksAnywhere) {
        throw new ModelError(
          'ERR_MODEL_INVALID',
          `decision: expected a guard whose memory can be forked, received a recurrent or hybrid one (${model.facts.architecture}). Use another guard.`,
        );
      }
      const prompt = new GuardPrompt(model, form);
      const answer = await verdictTokens(model, form.answer.verdicts, signal);
      const picture = form.picture && (await verdictTokens(model, form.picture.verdicts, signal));
      const lanes = await KeptLanes.open({
        context,
        name: "the guard's context",
        read: async (asked, heard) => {
          const rows = await Promise.all(asked.map((lane) => lane.logits({ signal: heard })));
          // Some milliseconds each, where the vocabulary is large.
          return await new Turns(heard).map(rows, (logits) => ({
            answer: decisionOf(logits, answer),
            picture: picture && decisionOf(logits, picture),
          }));
        },
      });
      return new Guard(form, opened, prompt, lanes);
    } catch (error) {
      await opened.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  private constructor(form: DecisionForm, opened: OpenGuard, prompt: GuardPrompt, lanes: GuardParts['lanes']) {
    this.form = form;
    this.#opened = opened;
    const backend = {
      groupTokens: LANE_GROUP_TOKENS,
      stemTokens: Number.POSITIVE_INFINITY,
      extend: lanes.extend.bind(lanes),
      scoreBranches: (run: BranchRun, options: Parameters<typeof lanes.branch>[1]) => lanes.branch(run, options),
      drop: (cache: number | null) => lanes.drop(cache),
      leave: (cache: number | null) => lanes.leave(cache),
    };
    const { model, images } = opened;
    const { maxTokens: most = Number.POSITIVE_INFINITY } = form; // every form of a guard has it
    const maxTokens = Math.min(most, model.facts.trainedContextLength || Number.POSITIVE_INFINITY);
    this.#parts = { form, model, images, maxTokens, prompt, lanes, backend, checkOpen: () => this.#checkOpen() };
  }

  /** Whether it can be asked about pictures before there is an answer. */
  get judgesPictures(): boolean {
    return this.form.picture !== null && this.#opened.model.facts.hasVision;
  }

  /**
   * Opens a session for one request; close it.
   *
   * @param turns the conversation, the question last
   * @param images all its pictures, when they are there
   * @param reuse whether what it reads may be left to later sessions that begin alike
   * @throws UsageError ERR_DISPOSED
   */
  open(turns: readonly TextTurn[], images: () => Promise<readonly Picture[]>, reuse = false): GuardSession {
    this.#checkOpen();
    return new GuardSession({ ...this.#parts, shared: () => this.#sharedPrefix() }, { turns, images, reuse });
  }

  /**
   * Lets go of what sessions left for later ones, and of what every prompt begins with: once that had to give way, it
   * stands in other cells than in a context that is empty, and its sums are others.
   */
  forget(): void {
    this.#checkOpen();
    const { lanes, images } = this.#parts;
    lanes.forgetLeft();
    images.clear();
    if (this.#policy.cache === null) return;
    lanes.drop(this.#policy.cache);
    this.#shared = undefined;
    this.#policy = NOTHING;
  }

  /** Frees model and context. Idempotent. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#opened.dispose();
    return this.#disposed;
  }

  /** What every prompt begins with, such as the policy: computed for all, and anew once it had to give way. */
  #sharedPrefix(): Promise<KeptTokens> {
    if (!this.#parts.lanes.has(this.#policy)) {
      this.#shared = undefined;
      this.#policy = NOTHING;
    }
    this.#shared ??= this.#computeShared().then(
      (kept) => {
        this.#policy = kept;
        return kept;
      },
      (error: unknown) => {
        this.#shared = undefined; // the next tries again
        throw error;
      },
    );
    return this.#shared;
  }

  async #computeShared(): Promise<KeptTokens> {
    const { form, prompt, lanes } = this.#parts;
    const ids = async (content: string) =>
      lanes.idsOf(
        await prompt.parts(form.answer, { turns: [{ role: 'user', content }], images: [], answer: content }, {}),
      );
    const [one, other] = [await ids('a'), await ids('b')];
    const count = sharedLength(one, other);
    if (count < LEAST_SHARED_TOKENS) return NOTHING;
    const options = { statistics: noStatistics(), isCommon: true };
    return (await lanes.extend(NOTHING, 0, one.slice(0, count), options)).kept;
  }

  #checkOpen(): void {
    if (this.#disposed !== undefined)
      throw new UsageError(
        'ERR_DISPOSED',
        'Expected a loaded guard, received one that was disposed of. Load it again.',
      );
  }
}
