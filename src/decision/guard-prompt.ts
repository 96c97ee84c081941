/** What a guard is asked, as the input of a sequence: its own chat template makes the markup. */
import type { Model, NativeImage, NativePart, PromptTurn } from '../engine/index.js';
import { ModelError } from '../errors.js';
import type { TextTurn } from '../types/turn.js';
import type { DecisionForm, DecisionQuestion } from './form.js';

/** What is judged. */
export interface Asked {
  /** The conversation, the question last. */
  readonly turns: readonly TextTurn[];
  /** Encoded by the guard; none where it does not see them. */
  readonly images: readonly NativeImage[];
  /** Null before there is one. */
  readonly answer: string | null;
}

interface PromptLimits {
  readonly maxTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class GuardPrompt {
  readonly #model: Model;
  readonly #form: DecisionForm;

  /** @throws ModelError ERR_MODEL_MISMATCH for a guard whose chat template is not the one that the form is for */
  constructor(model: Model, form: DecisionForm) {
    this.#model = model;
    this.#form = form;
    const template = model.facts.chatTemplate ?? '';
    const missing = form.templateHolds.find((text) => !template.includes(text));
    if (missing === undefined) return;
    throw new ModelError(
      'ERR_MODEL_MISMATCH',
      `decision: expected a guard for the form ${form.name}, whose chat template holds ${JSON.stringify(missing)}, received ${model.name}, whose template does not. ` +
        `Name the GGUF of ${form.title}, or the form of this guard.`,
    );
  }

  /** @throws UsageError ERR_PROMPT_TOO_LONG, ERR_INVALID_REQUEST; AbortError */
  async parts(question: DecisionQuestion, asked: Asked, limits: PromptLimits): Promise<NativePart[]> {
    const { prompt, lead } = question;
    const variables = prompt.form === 'conversation' ? prompt.variables : {};
    const parts = await this.#model.prompt(this.#turns(prompt, asked), {
      ...limits,
      variables,
      mayEndWithAnswer: true,
    });
    const last = parts.at(-1);
    if (lead === '' || (last instanceof Int32Array && this.#model.text(last).endsWith(lead))) return parts;
    return [...parts, await this.#model.tokenize(lead, { isContinued: true, signal: limits.signal })];
  }

  #turns(prompt: DecisionQuestion['prompt'], { turns, images, answer }: Asked): PromptTurn[] {
    const said = turns.filter(({ role }) => role !== 'system');
    if (prompt.form === 'conversation') {
      const shown = said.map(({ role, content }): PromptTurn => ({ role, text: content }));
      return answer === null ? shown : [...shown, { role: 'assistant', text: answer }];
    }
    const names: Readonly<Record<string, string>> = {
      policy: this.#form.policy,
      question: questionText(said),
      answer: answer ?? '',
    };
    const filled = (text: string) =>
      text.replace(/\{(policy|question|answer)\}/g, (_, name: string) => names[name] ?? '');
    const user: PromptTurn = { role: 'user', text: filled(prompt.user), images };
    const system = prompt.form === 'question' ? prompt.system : null;
    return system === null ? [user] : [{ role: 'system', text: filled(system) }, user];
  }
}

/** One question as it is; of a conversation every turn, with who said it. */
function questionText(turns: readonly TextTurn[]): string {
  const [only] = turns;
  if (turns.length === 1 && only !== undefined) return only.content;
  return turns.map(({ role, content }) => `${role === 'user' ? 'User' : 'Assistant'}: ${content}`).join('\n');
}
