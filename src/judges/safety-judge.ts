/** A judge of safety in MD-Judge's form, by whatever model is asked. */
import { EtaError, ImageError, UsageError } from '../errors.js';
import type { ChatModel, ChatTurn } from './chat-model.js';
import { type Judge, type JudgeItem, type Judgement, unjudged } from './judge.js';
import { safetyQuestion } from './safety-form.js';
import { safetyVerdict } from './safety-verdict.js';
import { shownTo } from './shown-pictures.js';

/** Failures of one item: the next may succeed. */
const OF_ONE_ITEM: readonly string[] = ['ERR_JUDGE_REPLY', 'ERR_PROMPT_TOO_LONG'];

export class SafetyJudge implements Judge {
  readonly name: string;
  readonly settings: Judge['settings'];
  readonly #model: ChatModel;

  /** @param model is disposed of with the judge */
  constructor(name: string, model: ChatModel) {
    this.name = name;
    this.#model = model;
    this.settings = { ...model.settings, form: model.judgesConversations ? "the model's own template" : 'eta-vlm' };
  }

  /** An empty answer is not shown to the model: there is nothing in it to judge. */
  async judge(item: JudgeItem, signal?: AbortSignal): Promise<Judgement> {
    if (item.answer.trim() === '') return unjudged('the answer is empty');
    const reply = await replyOrReason(() => this.#model.ask(this.#turns(item), signal));
    if (typeof reply !== 'string') return safetyVerdict(reply);
    await this.#checkRoom();
    return unjudged(reply);
  }

  async check(signal?: AbortSignal): Promise<void> {
    await this.#model.check?.(signal);
  }

  #turns({ question, answer, risk, images: given }: JudgeItem): readonly ChatTurn[] {
    const images = shownTo(this.#model, given);
    const beside = { risk, showsPictures: images.length > 0 };
    if (!this.#model.judgesConversations)
      return [{ role: 'user', text: safetyQuestion(question, answer, beside), images }];
    return [
      { role: 'user', text: question, images },
      { role: 'assistant', text: answer },
    ];
  }

  /** A model that has no room for the shortest answer judges none: better said once than of every item. */
  async #checkRoom(): Promise<void> {
    try {
      await this.#model.checkLength?.(this.#turns({ question: '', answer: '.' }));
    } catch (cause) {
      if (!(cause instanceof EtaError) || cause.code !== 'ERR_PROMPT_TOO_LONG') throw cause;
      throw new UsageError(
        'ERR_PROMPT_TOO_LONG',
        `Expected a judge with room for the shortest answer, received ${this.#model.name}: ${cause.message}`,
        { cause },
      );
    }
  }

  dispose(): Promise<void> {
    return this.#model.dispose();
  }
}

/** What was asked for, or why this one item gets none; what concerns every item is thrown. */
export async function replyOrReason<Value>(ask: () => Promise<Value>): Promise<Value | string> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ImageError || (error instanceof EtaError && OF_ONE_ITEM.includes(error.code)))
      return error.message;
    throw error;
  }
}
