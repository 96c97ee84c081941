/** From the body of a chat completion to requests of the library, one for each answer. */
import { type Fields, turnsOf } from '../chat-form/index.js';
import { checkCounts } from '../eta/index.js';
import type { EtaRequest, EvaluateRequest } from '../index.js';
import { parseOptions } from '../options.js';
import type { Turn } from '../types/turn.js';
import { checkCharacters } from './characters.js';
import { answerOptions, seedsOf } from './chat-options.js';
import { type ChatBody, chatSchema, etaFields, type Include } from './chat-schema.js';
import { type Blocks, blocksOf } from './moderation-blocks.js';
import { checkPictures } from './pictures.js';
import { checkUnlocked } from './policy-lock.js';
import type { Service } from './service.js';

/** What is asked, checked as far as it can be without the models. */
export interface ChatRequest {
  readonly turns: readonly Turn[];
  /** Options of the library for all answers, seed and pictures apart. */
  readonly options: Fields;
  /** One for each answer. */
  readonly seeds: readonly number[];
  readonly isStreamed: boolean;
  readonly includesUsage: boolean;
  /** What to tell of the search; null where the request has no key `eta`. */
  readonly includes: ReadonlySet<Include> | null;
  readonly moderation: ChatBody['moderation'];
  readonly blocks: Blocks;
}

/** Ours, which stand one level deeper. */
const OWN = { names: etaFields, taker: "'eta', an object of the request" };

/** @throws UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION, ERR_INVALID_REQUEST, ERR_PROMPT_TOO_LONG */
export function readChatRequest(fields: Fields, { eta, settings }: Pick<Service, 'eta' | 'settings'>): ChatRequest {
  const body = parseOptions(chatSchema, fields as ChatBody, 'request', OWN);
  checkUnlocked(body.eta, { eta, settings });
  checkCounts({ turns: body.messages });
  const turns = turnsOf(body.messages);
  checkPictures(turns, settings);
  checkCharacters(turns, settings.maxCharacters);
  const { include, ...own } = body.eta ?? {};
  const options = { ...own, ...answerOptions(body, eta.facts.policy, settings) };
  return {
    turns,
    options,
    seeds: seedsOf(body, eta.facts.policy, settings),
    isStreamed: body.stream ?? false,
    includesUsage: body.stream_options?.include_usage ?? false,
    includes: body.eta === undefined ? null : new Set(include ?? []),
    moderation: body.moderation,
    blocks: blocksOf(body.moderation, turns, eta.facts.evaluators),
  };
}

/** The request of one answer. What is left to check, the library checks. */
export function requestOf(
  { options }: ChatRequest,
  turns: readonly Turn[],
  seed: number,
  signal: AbortSignal,
): EtaRequest {
  return { ...options, turns, seed, signal };
}

/** What judges the pictures, and an answer where there is one, as the request has it. */
export function evaluationOf(
  { options }: ChatRequest,
  turns: readonly Turn[],
  answer: string | undefined,
  signal: AbortSignal,
): EvaluateRequest {
  const { thresholds, safetyPrompt, postEvaluationPrompt, rewardContext, reuse } = options as Partial<EvaluateRequest>;
  return { turns, answer, thresholds, safetyPrompt, postEvaluationPrompt, rewardContext, reuse, signal };
}
