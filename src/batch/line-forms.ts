/** Lines as other programs write them, to the fields of ours: whatever is not known stays, and is refused by its name. */
import { type Fields, isFields, PASSED_OVER } from '../chat-form/index.js';
import { UsageError } from '../errors.js';
import { describe, shortened } from '../options.js';

const COMPLETIONS = '/v1/chat/completions';
/** As chat completions call them, and we: there they are the answer's, and those of the search stand under `eta`. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'maxTokens'],
  ['max_completion_tokens', 'maxTokens'],
  ['temperature', 'answerTemperature'],
  ['top_p', 'answerTopP'],
]);
/** And how it is sent. */
const NOT_ASKED: readonly string[] = [...PASSED_OVER, 'stream', 'stream_options'];
/** Of a question of LLaVA's and others' sets; `category` and the answer are for whoever scores it. */
export const QUESTION_NOTES: readonly string[] = ['category', 'question_type', 'answer', 'label'];

/** What a line calls itself: `id`, `custom_id` or `question_id`. */
export function idOf({ id, custom_id: customId, question_id: questionId }: Fields): unknown {
  return id ?? customId ?? questionId;
}

/** The request of a line under our names, without its id. @throws UsageError ERR_INVALID_LINE, ERR_UNKNOWN_OPTION */
export function ownFields(line: Fields): Fields {
  const { id: _id, custom_id: _customId, ...fields } = line;
  if (isFields(fields['body'])) return batchLine(fields, fields['body']);
  if (fields['question_id'] !== undefined) return question(fields);
  return fields['messages'] === undefined ? fields : completion(fields);
}

/** A line of OpenAI's Batch API: { custom_id, method, url, body }. */
function batchLine({ method, url, body: _body, ...others }: Fields, body: Fields): Fields {
  if (method !== undefined && method !== 'POST') throw invalid('method', 'expected POST beside a body', method);
  if (url !== undefined && url !== COMPLETIONS) throw invalid('url', `expected ${COMPLETIONS}`, url);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new UsageError(
      'ERR_UNKNOWN_OPTION',
      `request: unknown option '${shortened(unknown)}' beside a body. Known: custom_id, method, url.`,
    );
  if (body['messages'] === undefined) throw invalid('body.messages', 'expected an array of messages', undefined);
  return completion(body);
}

/** The body of a chat completion, as the server reads it. */
function completion({ eta = {}, ...body }: Fields): Fields {
  if (!isFields(eta)) throw invalid('eta', 'expected an object of options', eta);
  const fields = new Map<string, unknown>(); // a name may be one that every object has
  const put = (own: string, name: string, value: unknown) => {
    if (fields.has(own) && fields.get(own) !== value)
      throw invalid(name, `expected it once, beside another ${own}`, value);
    fields.set(own, value);
  };
  for (const [name, value] of Object.entries(body)) {
    const isUnneeded = name === 'top_p' && body['temperature'] === 0; // nothing is drawn
    if (NOT_ASKED.includes(name) || (name === 'n' && value === 1) || isUnneeded) continue;
    put(RENAMED.get(name) ?? name, name, value);
  }
  for (const [name, value] of Object.entries(eta)) put(name, `eta.${name}`, value);
  return Object.fromEntries(fields);
}

/** A line of a file of questions: { question_id, image, text }. */
function question({ question_id: _id, text, ...others }: Fields): Fields {
  const fields = Object.entries(others).filter(([name]) => !QUESTION_NOTES.includes(name));
  const isAsked = text !== undefined && others['prompt'] === undefined;
  return { ...(text !== undefined && { [isAsked ? 'prompt' : 'text']: text }), ...Object.fromEntries(fields) };
}

function invalid(name: string, expected: string, received: unknown): UsageError {
  return new UsageError('ERR_INVALID_LINE', `request: ${name}: ${expected}; received ${describe(received)}.`);
}
