/** One answer: made by the library, judged where the request asks for moderation, blocked where it says so. */
import { EtaError } from '../errors.js';
import type { EtaEvent, EtaResult, Judgement, Verdict } from '../index.js';
import type { Notice } from '../types/notice.js';
import type { Turn } from '../types/turn.js';
import { type ChatRequest, evaluationOf, requestOf } from './chat-request.js';
import type { Judged } from './moderation.js';
import type { Service } from './service.js';

/** What is known before the first answer begins. */
export interface Prepared {
  readonly turns: readonly Turn[];
  /** Of the pictures, where the request blocks flagged ones; null where it does not. */
  readonly picture: Judgement | null;
  /** What the shipped miniature is to say of its answer; null where it has nothing to say, or the request did not ask. */
  readonly notice: Notice | null;
}

/** An answer, as it is told. */
export interface Told {
  readonly seed: number;
  /** What is given out. */
  readonly text: string;
  /** The sentence of a refusal, with which the text ends then: sentences of an answer may have gone out before it. */
  readonly refusal: string | null;
  /**
   * What was found, and what was done. `refused`, and `text` the sentence of it, also where the request blocks what is flagged:
   * then with what was judged for that.
   */
  readonly verdict: Verdict;
  /** What the library answered; null where the pictures alone were enough to block it. */
  readonly result: EtaResult | null;
  /** What was judged for `moderation`; null where nobody asked. */
  readonly moderation: { readonly input: Judged; readonly output: Judged } | null;
  /** What the shipped miniature is to say of it; null where it has nothing to say. */
  readonly notice: Notice | null;
}

export interface AnswerOptions {
  readonly service: Service;
  readonly chat: ChatRequest;
  readonly prepared: Prepared;
  readonly signal: AbortSignal;
  onEvent(event: EtaEvent): void;
}

export class Answer {
  readonly #options: AnswerOptions;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  /** @throws what the library throws */
  async make(seed: number): Promise<Told> {
    const { chat, prepared, onEvent } = this.#options;
    const { picture, notice } = prepared;
    if (picture?.isUnsafe) {
      const verdict: Verdict = { action: 'refused', picture, answer: null, final: null };
      onEvent({ type: 'verdict', verdict });
      return {
        seed,
        text: this.#refusal,
        refusal: this.#refusal,
        verdict,
        result: null,
        moderation: { input: { picture }, output: {} },
        notice,
      };
    }
    const result = await this.#result(seed);
    const { text, verdict } = result;
    const refusal = verdict.action === 'refused' ? this.#refusal : null;
    const told = { seed, text, refusal, verdict, result, moderation: null, notice };
    if (chat.moderation === undefined) return told;
    const moderation = await this.#judged(result);
    if (!chat.blocks.output) return { ...told, moderation };
    // text and verdict were held until now
    if (verdict.action !== 'refused' && moderation.output.answer?.isUnsafe !== false) {
      const blocked = blockedVerdict(verdict, moderation);
      onEvent({ type: 'verdict', verdict: blocked });
      return { ...told, text: this.#refusal, refusal: this.#refusal, verdict: blocked, moderation };
    }
    if (refusal === null) onEvent({ type: 'text', text });
    onEvent({ type: 'verdict', verdict });
    return { ...told, text: refusal ?? text, moderation };
  }

  get #refusal(): string {
    const { chat, service } = this.#options;
    const said = chat.options['refusalText'];
    return (typeof said === 'string' ? said : service.eta.facts.policy.refusalText).trim();
  }

  /** Text and verdict are held back where the request may block them; the sentence of a refusal is told with the answer. */
  async #result(seed: number): Promise<EtaResult> {
    const { service, chat, prepared, signal, onEvent } = this.#options;
    let result: EtaResult | undefined;
    let held: EtaEvent | null = null; // what may be that sentence
    for await (const event of service.eta.stream(requestOf(chat, prepared.turns, seed, signal))) {
      if (event.type === 'text' && held === null && event.text.trim() === this.#refusal && !chat.blocks.output) {
        held = event;
        continue;
      }
      if (held !== null && !(event.type === 'verdict' && event.verdict.action === 'refused')) onEvent(held);
      held = null;
      if (event.type === 'done') result = event.result;
      else if (!chat.blocks.output || (event.type !== 'text' && event.type !== 'verdict')) onEvent(event);
    }
    return result as EtaResult; // `done` is the last event of every stream that does not throw
  }

  /** What the method has not judged on its way, is judged now, where somebody can. */
  async #judged({ verdict, text }: EtaResult): Promise<{ readonly input: Judged; readonly output: Judged }> {
    const { service, chat, prepared, signal } = this.#options;
    const { evaluators } = service.eta.facts;
    const hasPictures = prepared.turns.some(({ images = [] }) => images.length > 0);
    const known = { picture: verdict.picture ?? prepared.picture, answer: verdict.final ?? verdict.answer };
    const lacksPicture = known.picture === null && hasPictures && evaluators.pictures !== null;
    const lacksAnswer = known.answer === null && text.trim() !== '' && evaluators.answers !== null;
    if (!lacksPicture && !lacksAnswer) return { input: { picture: known.picture }, output: { answer: known.answer } };
    const turns = lacksPicture || evaluators.pictures !== null ? prepared.turns : withoutPictures(prepared.turns);
    try {
      const found = await service.eta.evaluate(evaluationOf(chat, turns, lacksAnswer ? text : undefined, signal));
      return {
        input: { picture: known.picture ?? found.picture },
        output: { answer: known.answer ?? found.answer },
      };
    } catch (failure) {
      // the answer is made, and goes out unless it could be one to keep back
      if (chat.blocks.output || signal.aborted || !(failure instanceof EtaError)) throw failure;
      return {
        input: { picture: known.picture, ...(lacksPicture && { failure }) },
        output: { answer: known.answer, ...(lacksAnswer && { failure }) },
      };
    }
  }
}

/** Of an answer that is kept back because of what was found for the request, which its method may not have asked. */
function blockedVerdict(
  { picture, answer, final }: Verdict,
  { input, output }: NonNullable<Told['moderation']>,
): Verdict {
  return {
    action: 'refused',
    picture: picture ?? input.picture ?? null,
    answer: answer ?? (final === null ? (output.answer ?? null) : null),
    final,
  };
}

/** Where nobody judges them. */
function withoutPictures(turns: Prepared['turns']): Prepared['turns'] {
  return turns.map(({ role, text }) => ({ role, text }));
}
