/** Somebody who can be asked in words: a model on this machine, or one behind an endpoint. */
import type { ImageSource } from '../types/picture.js';

export interface ChatTurn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
  /** Of the user's, before its text; a model that does not see pictures passes them over. */
  readonly images?: readonly ImageSource[] | undefined;
}

export interface Reply {
  readonly text: string;
  /** Whether it ended because it had reached its limit of tokens. */
  readonly isCutOff: boolean;
}

export interface ChatModel {
  readonly name: string;
  /** What replies depend on, for the report. Never a secret. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /**
   * Whether the model's own chat template makes the judge's prompt of a question and its answer, as MD-Judge's does.
   */
  readonly judgesConversations: boolean;
  /** Whether it is shown the pictures of a turn. */
  readonly seesPictures: boolean;
  /**
   * Asks, as little at random as the model allows. Calls may overlap; the model limits itself.
   *
   * @param turns end with the user's, or, where `judgesConversations`, with the answer to judge
   * @throws JudgeError ERR_JUDGE_REPLY when this question gets no reply, though others may; ERR_JUDGE_UNREACHABLE and
   * ERR_JUDGE_REFUSED when none will; UsageError ERR_PROMPT_TOO_LONG; ImageError; AbortError
   */
  ask(turns: readonly ChatTurn[], signal?: AbortSignal): Promise<Reply>;
  /** Where the model knows its room: @throws UsageError ERR_PROMPT_TOO_LONG when these turns would not fit */
  checkLength?(turns: readonly ChatTurn[]): Promise<void>;
  /**
   * Whether anybody is there, where that may be otherwise: asked before hours are spent on answers.
   *
   * @throws JudgeError ERR_JUDGE_UNREACHABLE, ERR_JUDGE_REFUSED; AbortError
   */
  check?(signal?: AbortSignal): Promise<void>;
  /** Idempotent. */
  dispose(): Promise<void>;
}
