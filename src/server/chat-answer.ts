/** What was answered, as the API tells it. */
import { type Fields, messageOf, finishReason as reasonOf, usageFields } from '../chat-form/index.js';
import type { Told } from './answer.js';
import type { ChatRequest } from './chat-request.js';
import { moderationSide } from './moderation.js';

/** What stands in every answer, and in every piece of one. */
export interface Heading {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

/** Why a text ends, in the API's words. */
export function finishReason({ verdict, result }: Told): ReturnType<typeof reasonOf> {
  return reasonOf(verdict.action, result?.stopReason ?? null);
}

/** What stands under `eta` of a choice; absent where nobody asked. */
export function etaPart({ result, verdict, seed, notice }: Told, { includes }: ChatRequest): Fields {
  if (includes === null) return {};
  const told = notice !== null && { notice };
  if (result === null) return { eta: { verdict, seed, stopReason: 'refusal', ...told } };
  const { trace, timings, usage, model } = result;
  const stopReason = verdict.action === 'refused' ? 'refusal' : result.stopReason;
  const asked = { ...(includes.has('trace') && { trace }), ...(includes.has('timings') && { timings }) };
  return { eta: { verdict, seed, usage, model, stopReason, ...told, ...asked } };
}

/** Tokens of all answers together. */
export function usageOf(answers: readonly Told[]): Fields {
  return usageFields(answers.flatMap(({ result }) => (result === null ? [] : [result.usage])));
}

/** What stands under `moderation`; absent where nobody asked. */
export function moderationPart(answers: readonly Told[], { includes, moderation }: ChatRequest, model: string): Fields {
  if (moderation === undefined) return {};
  const showsEta = includes !== null;
  const inputs = answers.slice(0, 1).map((told) => told.moderation?.input ?? {});
  const outputs = answers.map((told) => told.moderation?.output ?? {});
  const shown = { model, showsEta };
  return {
    moderation: { input: moderationSide('input', inputs, shown), output: moderationSide('output', outputs, shown) },
  };
}

/** What went out before the sentence of a refusal; null for nothing. */
function goneBefore(text: string, refusal: string): string | null {
  const gone = text.slice(0, text.length - refusal.length).trimEnd();
  return gone === '' ? null : gone;
}

/** A whole answer. */
export function completionOf({ id, created, model }: Heading, answers: readonly Told[], chat: ChatRequest): Fields {
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: answers.map((told, index) => {
      const { text, refusal } = told;
      return {
        index,
        message: messageOf(refusal === null ? text : goneBefore(text, refusal), refusal),
        logprobs: null,
        finish_reason: finishReason(told),
        ...etaPart(told, chat),
      };
    }),
    usage: usageOf(answers),
    ...moderationPart(answers, chat, model),
  };
}
