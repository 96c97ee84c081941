/** Fields of a chat completion as options of the library. */
import { randomInt } from 'node:crypto';
import type { Fields } from '../chat-form/index.js';
import { UsageError } from '../errors.js';
import type { Policy } from '../policy/index.js';
import type { ChatBody } from './chat-schema.js';
import type { Settings } from './options.js';

/** Tokens of an answer at most, where nobody says; the Eta's own bound where that is more. */
const MAX_TOKENS = 4096;

/** @throws UsageError ERR_INVALID_REQUEST for what is said twice, and for too many tokens */
export function answerOptions(body: ChatBody, policy: Policy, settings: Settings): Fields {
  const { temperature, top_p: topP, stop, eta = {} } = body;
  const drawn = once('temperature', [temperature, eta.answerTemperature]);
  const share = once('top_p', [topP, eta.answerTopP]);
  // what is not drawn is the likeliest token, whatever share of them is looked at
  const isDrawn = (drawn ?? policy.answerTemperature) > 0;
  return {
    maxTokens: maxTokensOf(body, policy, settings),
    answerTemperature: drawn,
    answerTopP: isDrawn ? share : undefined,
    stop,
  };
}

/** What `max_tokens` may be at most. */
export function mostTokens({ maxTokens }: Pick<Policy, 'maxTokens'>, settings: Pick<Settings, 'maxTokens'>): number {
  return settings.maxTokens ?? Math.max(MAX_TOKENS, maxTokens);
}

/** The first is the request's own, each that follows one more: any answer of several can be asked for alone. */
export function seedsOf(
  { n = 1, seed, temperature, eta }: ChatBody,
  policy: Policy,
  { maxChoices, parallel, maxQueueLength }: Settings,
): number[] {
  if (n > maxChoices) throw invalid(`n: expected at most ${maxChoices} answers, received ${n}. Ask again for more.`);
  if (n > parallel + maxQueueLength)
    throw invalid(
      `n: expected at most ${parallel + maxQueueLength} answers, as many as run and wait here, received ${n}.`,
    );
  if (n > 1 && (temperature ?? eta?.answerTemperature ?? policy.answerTemperature) === 0)
    throw invalid(
      `n: expected 1 with temperature 0, received ${n}: they would all be the same answer. Give a temperature.`,
    );
  const first = seed ?? randomInt(2 ** 32);
  return Array.from({ length: n }, (_, index) => (first + index) >>> 0);
}

function maxTokensOf({ max_tokens, max_completion_tokens, eta }: ChatBody, policy: Policy, settings: Settings): number {
  const most = mostTokens(policy, settings);
  const said = { max_completion_tokens, max_tokens, 'eta.maxTokens': eta?.maxTokens };
  const asked = once('max_completion_tokens', Object.values(said));
  if (asked === undefined) return Math.min(policy.maxTokens, most);
  const name = Object.entries(said).find(([, value]) => value !== undefined)?.[0];
  if (asked > most)
    throw invalid(`${name}: expected an integer from 1 to ${most}, received ${asked}. Ask for fewer tokens.`);
  return asked;
}

/** What may be said under several names. @throws UsageError ERR_INVALID_REQUEST where they differ */
function once<Value>(name: string, said: readonly (Value | undefined)[]): Value | undefined {
  const values = new Set(said.filter((value) => value !== undefined));
  if (values.size <= 1) return [...values][0];
  throw invalid(`${name}: expected one value, received ${[...values].join(' and ')} under two names. Say it once.`);
}

function invalid(message: string): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `request: ${message}`);
}
