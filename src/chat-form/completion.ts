/** An answer in the words of a chat completion. */
import type { Usage } from '../types/result.js';
import type { StopReason } from '../types/stop-reason.js';
import type { Action } from '../types/verdict.js';
import type { Fields } from './fields.js';

const CUT: readonly StopReason[] = ['length', 'context'];

/** Why a text ends, in the API's words. */
export function finishReason(action: Action, stopReason: StopReason | null): 'stop' | 'length' | 'content_filter' {
  if (action === 'refused' || stopReason === null) return 'content_filter';
  return CUT.includes(stopReason) ? 'length' : 'stop';
}

/** The assistant's message: a refusal has its text in a place of its own, beside what went out before it. */
export function messageOf(content: string | null, refusal: string | null): Fields {
  return { role: 'assistant', content, refusal };
}

/** What is told of tokens; without a cache's count nothing is said of it. */
type Counted = Pick<Usage, 'promptTokenCount' | 'answerTokenCount'> & Partial<Pick<Usage, 'cachedTokenCount'>>;

/** Tokens, as the API counts them: the prompt once, whatever the number of answers. */
export function usageFields(usages: readonly Counted[]): Fields {
  const { promptTokenCount = 0, cachedTokenCount = usages.length === 0 ? 0 : undefined } = usages[0] ?? {};
  const answerCount = usages.reduce((sum, { answerTokenCount }) => sum + answerTokenCount, 0);
  return {
    prompt_tokens: promptTokenCount,
    completion_tokens: answerCount,
    total_tokens: promptTokenCount + answerCount,
    ...(cachedTokenCount !== undefined && { prompt_tokens_details: { cached_tokens: cachedTokenCount } }),
  };
}
