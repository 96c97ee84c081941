/** An answer as OpenAI's Batch API writes it into its output file. */
import { type Fields, finishReason, messageOf, usageFields } from '../chat-form/index.js';
import type { AnswerLine } from './answer-line.js';

/** What is no chat completion stands under `eta`, as the server has it. */
export function openaiLine({ id, line, digest, text, verdict, stopReason, error, ...others }: AnswerLine): Fields {
  const key = `${digest}-${line}`; // requests may be equal
  const heading = { id: `batch_req_${key}`, custom_id: id ?? `line-${line}` };
  if (error !== null || verdict === null) return { ...heading, response: null, error };
  const { model, usage, seed, method } = others;
  const isRefused = verdict.action === 'refused';
  const body = {
    id: `chatcmpl-${key}`,
    object: 'chat.completion',
    created: 0, // a line does not tell when it was written
    model,
    choices: [
      {
        index: 0,
        message: isRefused ? messageOf(null, text) : messageOf(text, null),
        logprobs: null,
        finish_reason: finishReason(verdict.action, stopReason),
        eta: { verdict, seed, method, usage, stopReason },
      },
    ],
    usage: usageFields(usage === null ? [] : [usage]),
  };
  return { ...heading, response: { status_code: 200, request_id: `req_${key}`, body }, error: null };
}
