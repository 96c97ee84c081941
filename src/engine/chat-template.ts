/**
 * The model's own conversation form: a Jinja template, which is shown stand-ins for every text and every picture. Whatever a
 * text says, the template never sees it.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { ModelError, UsageError } from '../errors.js';
import { JinjaTemplate, TooManySteps } from '../jinja/index.js';
import type { NativeModelFacts, NativeTextPiece } from '../native/model-types.js';
import { integer, parseOptions } from '../options.js';
import { type ImageForm, imageForm, type Message, type MessageContent } from './image-form.js';
import { llavaV1 } from './llava-v1.js';
import { type PromptPiece, type PromptTurn, promptTurnSchema } from './prompt-piece.js';
import { PromptSeams } from './prompt-seams.js';
import { StandIns } from './stand-ins.js';

/**
 * Of a conversation, whatever the context holds: a template is rendered in one piece, and takes some 25 milliseconds for so
 * many turns, twice as long where it refuses them.
 */
const MOST_TURNS = 1024;

export const maxTokensField = integer(0, 2 ** 31 - 1).optional();

const promptSchema = z.strictObject({
  variables: z.record(z.string(), z.unknown()).default({}),
  mayEndWithAnswer: z.boolean('expected true or false').default(false),
  maxTokens: maxTokensField,
  signal: signalSchema.optional(),
});

/** What `model.prompt` takes beside the turns. */
export interface PromptOptions {
  /** Further variables of the chat template; they go before its own. @default { enable_thinking: false } */
  variables?: Record<string, unknown> | undefined;
  /** Whether the last turn may be the assistant's: for the template of a judge, which is shown a whole conversation. @default false */
  mayEndWithAnswer?: boolean | undefined;
  /**
   * Tokens of all texts together, 0 to 2147483647, begin token included, pictures left out; more is ERR_PROMPT_TOO_LONG.
   * @default 2147483647
   */
  maxTokens?: number | undefined;
  /** Ends it at once with an AbortError. */
  signal?: AbortSignal | undefined;
}

/** Facts about the model that a template asks for. */
export type TemplateFacts = Pick<
  NativeModelFacts,
  'chatTemplate' | 'architecture' | 'beginText' | 'endText' | 'addsBeginToken'
>;

export class ChatTemplate {
  readonly #facts: TemplateFacts;
  /** Undefined: the hand-written form of LLaVA-1.5. */
  readonly #jinja: JinjaTemplate | undefined;
  /** Null for a template that looks at the clock. */
  readonly #seams: PromptSeams | null;
  #form: ImageForm | undefined;

  /** @throws ModelError ERR_MODEL_INVALID when there is no usable template */
  constructor(facts: TemplateFacts) {
    this.#facts = facts;
    this.#seams = facts.chatTemplate?.includes('strftime_now') ? null : new PromptSeams();
    if (facts.chatTemplate === null) {
      if (facts.architecture === 'llama') return;
      throw new ModelError(
        'ERR_MODEL_INVALID',
        `Expected a model with a chat template, received one of architecture ${facts.architecture} without. ` +
          'Use its instruction-tuned file, or put the template into the GGUF (tokenizer.chat_template).',
      );
    }
    try {
      this.#jinja = new JinjaTemplate(facts.chatTemplate);
    } catch (error) {
      throw new ModelError('ERR_MODEL_INVALID', `The model's chat template is no Jinja: ${reason(error)}.`, {
        cause: error,
      });
    }
  }

  /**
   * @param turns at least one; a system turn only in front; the last one the user's, unless `mayEndWithAnswer`
   * @throws UsageError ERR_INVALID_REQUEST for turns that the template cannot express; ERR_PROMPT_TOO_LONG for more turns
   *   than {@link checkTurnCount} allows, and for more turns with words than `maxTokens`
   */
  render(turns: readonly PromptTurn[], options?: PromptOptions): PromptPiece[] {
    const {
      variables,
      mayEndWithAnswer,
      maxTokens = Number.POSITIVE_INFINITY,
    } = parseOptions(promptSchema, options, 'prompt options');
    checkTurnCount(turns);
    const parsed = parseOptions(z.array(promptTurnSchema, 'expected an array of turns'), turns, 'prompt turns');
    checkTurns(parsed, mayEndWithAnswer);
    // Whatever a template writes, a turn with words takes a token.
    const count = parsed.filter(({ text }) => text !== '').length;
    if (count > maxTokens) throw tooManyTurns(`turns of at most ${maxTokens} tokens`, count);
    if (this.#jinja === undefined) return llavaV1(turns, this.#facts.endText);
    const jinja = this.#jinja;
    const rendered = (said: readonly PromptTurn[]) => this.#pieces(jinja, said, variables);
    return this.#seams === null ? rendered(turns) : this.#seams.render(turns, variables, rendered);
  }

  #pieces(jinja: JinjaTemplate, turns: readonly PromptTurn[], variables: Record<string, unknown>): PromptPiece[] {
    const render = (messages: readonly Message[]) => this.#render(jinja, messages, variables);
    this.#form ??= imageForm(render);
    let failure: unknown;
    for (const { turns: attempt, markup } of attempts(turns, this.#form)) {
      const standIns = new StandIns();
      try {
        const messages = attempt.map((turn) => ({ role: turn.role, content: this.#content(turn, standIns, markup) }));
        return standIns.cut(this.#withoutBegin(render(messages)), markup);
      } catch (error) {
        failure ??= error;
        if (error instanceof TooManySteps) break;
      }
    }
    throw new UsageError(
      'ERR_INVALID_REQUEST',
      `The model's chat template cannot express these turns (${turns.map((turn) => turn.role).join(', ')}): ` +
        `${reason(failure)}. Most templates want user and assistant by turns, and at most one system turn in front.`,
      { cause: failure },
    );
  }

  /**
   * What stands behind an answer to these turns when the user goes on.
   *
   * @throws as {@link render}, also for a template that leaves the answer out
   */
  renderFollowUp(turns: readonly PromptTurn[], text: string, options?: PromptOptions): NativeTextPiece[] {
    const answer = randomBytes(12).toString('hex');
    const said = turns.map(({ role, text }): PromptTurn => ({ role, text }));
    const pieces = this.render([...said, { role: 'assistant', text: answer }, { role: 'user', text }], options);
    const at = pieces.findLastIndex((piece) => piece.kind === 'text' && piece.text === answer);
    return pieces
      .slice(at + 1)
      .flatMap((piece) =>
        piece.kind === 'image' || piece.text === ''
          ? []
          : [{ text: piece.text, parseSpecial: piece.kind === 'template' }],
      );
  }

  /** Some templates loop over `tools` without asking whether there are any: they get an empty list. */
  #render(jinja: JinjaTemplate, messages: readonly Message[], variables: Record<string, unknown>): string {
    const { beginText, endText } = this.#facts;
    const given = {
      bos_token: beginText,
      eos_token: endText,
      add_generation_prompt: true,
      enable_thinking: false,
      ...variables,
      messages,
    };
    try {
      return jinja.render(given);
    } catch (error) {
      if (error instanceof TooManySteps) throw error;
      try {
        return jinja.render({ tools: [], ...given });
      } catch {
        throw error;
      }
    }
  }

  #content(turn: MergedTurn, standIns: StandIns, markup: string | undefined): MessageContent {
    const system = turn.merged === undefined ? '' : `${standIns.text(turn.merged)}\n`;
    const images = turn.images ?? [];
    const text = standIns.text(turn.text);
    if (images.length > 0 && markup !== undefined) {
      for (const image of images) standIns.expect(image);
      const items = images.map(() => ({ type: 'image' as const }));
      return [...(system === '' ? [] : [{ type: 'text' as const, text: system }]), ...items, { type: 'text', text }];
    }
    const whole = system + images.map((image) => standIns.image(image)).join('') + text;
    return this.#form?.takesStrings === false ? [{ type: 'text', text: whole }] : whole;
  }

  /** The begin token is put in front as a token, once. */
  #withoutBegin(rendered: string): string {
    const { addsBeginToken, beginText } = this.#facts;
    return addsBeginToken && beginText !== '' && rendered.startsWith(beginText)
      ? rendered.slice(beginText.length)
      : rendered;
  }
}

/** A user turn that the system's text opens. */
interface MergedTurn extends PromptTurn {
  readonly merged?: string;
}

interface Attempt {
  readonly turns: readonly MergedTurn[];
  readonly markup: string | undefined;
}

/**
 * What to try in order: the template's own picture marks, then pictures before the text; and each with the system turn
 * as it is, then at the head of the first user turn, as llama.cpp does it for templates without a system role.
 */
function attempts(turns: readonly PromptTurn[], form: ImageForm): Attempt[] {
  const [system, first, ...rest] = turns;
  const forms: (readonly MergedTurn[])[] = [turns];
  if (system?.role === 'system' && first !== undefined) forms.push([{ ...first, merged: system.text }, ...rest]);
  const marks = form.markup === undefined ? [undefined] : [form.markup, undefined];
  return forms.flatMap((form) => marks.map((markup) => ({ turns: form, markup })));
}

/** Before anything looks at each of them. @throws UsageError ERR_PROMPT_TOO_LONG for more than 1024 turns */
export function checkTurnCount(turns: unknown): void {
  if (Array.isArray(turns) && turns.length > MOST_TURNS)
    throw tooManyTurns(`at most ${MOST_TURNS} turns`, turns.length);
}

function checkTurns(turns: readonly PromptTurn[], mayEndWithAnswer: boolean): void {
  const last = turns.at(-1);
  if (last?.role !== 'user' && !(mayEndWithAnswer && last?.role === 'assistant')) {
    throw new UsageError(
      'ERR_INVALID_REQUEST',
      `Expected turns that end with the user's, received ${last === undefined ? 'none' : `one of ${last.role} last`}.`,
    );
  }
  turns.forEach((turn, index) => {
    if (turn.role === 'system' && index > 0) {
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        `Expected a system turn only in front, received one as turn ${index + 1}.`,
      );
    }
    if (turn.role !== 'user' && (turn.images?.length ?? 0) > 0) {
      throw new UsageError(
        'ERR_INVALID_REQUEST',
        `Expected pictures in user turns only, received one in a turn of ${turn.role}.`,
      );
    }
  });
}

function tooManyTurns(expected: string, count: number): UsageError {
  return new UsageError(
    'ERR_PROMPT_TOO_LONG',
    `Expected ${expected} but received ${count} turns. Shorten the conversation.`,
  );
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.replace(/(?<![.\s])[.\s]+$/, '') : String(error);
}
