/** How large a context has to be for so many requests at once. */

import { CONTEXT_SIZE, SEQUENCE_COUNT } from '../loading/defaults.js';
import { METHOD_PLANS, POLICIES, type Policy } from '../policy/index.js';

/** Tokens that a prompt is expected to have at most, a picture of 576 and its text: what has more waits for more room. */
const PROMPT_TOKENS = 1024;
/** What the engine can hold. */
const MOST_SEQUENCES = 256;

/** What a context has room for: options of `loadEta`. */
export interface ContextRoom {
  /** KV cells. */
  readonly contextSize: number;
  /** Sequences. */
  readonly sequenceCount: number;
}

/**
 * Room for so many requests at once, each of a prompt of at most 1024 tokens.
 *
 * @param policy what is asked otherwise than by the default policy
 */
export function roomFor(
  concurrency: number,
  policy: Partial<Pick<Policy, 'method' | 'candidateCount' | 'maxTokens' | 'sentenceTokenLimit'>> = {},
): ContextRoom {
  const { method, candidateCount, maxTokens, sentenceTokenLimit } = { ...POLICIES.standard, ...policy };
  const isSearched = METHOD_PLANS[method].usesSearch;
  // of the search: the last sentence may pass maxTokens, and its other candidates stand beside it
  const sentences = isSearched ? candidateCount * sentenceTokenLimit : 0;
  const cellCount = PROMPT_TOKENS + maxTokens + sentences;
  return {
    contextSize: Math.max(CONTEXT_SIZE, concurrency * cellCount),
    sequenceCount: Math.min(MOST_SEQUENCES, Math.max(SEQUENCE_COUNT, concurrency * (candidateCount + 1))),
  };
}
