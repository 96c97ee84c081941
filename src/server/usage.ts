/** Tokens, as the API counts them. */
import type { Fields } from '../chat-form/index.js';
import type { Usage } from '../index.js';

/** The prompt once, whatever the number of answers. */
export function usageFields(usages: readonly Usage[]): Fields {
  const promptCount = usages[0]?.promptTokenCount ?? 0;
  const answerCount = usages.reduce((sum, { answerTokenCount }) => sum + answerTokenCount, 0);
  return {
    prompt_tokens: promptCount,
    completion_tokens: answerCount,
    total_tokens: promptCount + answerCount,
    prompt_tokens_details: { cached_tokens: usages[0]?.cachedTokenCount ?? 0 },
  };
}
