/** How much of the context a request may need: reserved before it starts, so that nothing has to be stopped midway. */
import { SelfDecision } from '../decision/index.js';
import { UsageError } from '../errors.js';
import { type Policy, planOf } from '../policy/index.js';
import { searchCellCount, searchRoomTokens, searchSequenceCount } from '../search/index.js';
import { sentenceRule } from './align.js';

export interface Room {
  /** KV cells of the context. */
  readonly cellCount: number;
  /** Positions the model was trained for; 0 = not known. */
  readonly trainedContextLength: number;
}

export interface Allotment {
  /** New tokens, of the policy's as many as fit; >= 1. */
  readonly maxTokens: number;
  /** Tokens that there is room for, >= maxTokens: more where the last sentence of a search may pass it. */
  readonly roomTokens: number;
  /** To reserve: prompt, and the larger of the model's own answer and the alignment. */
  readonly cellCount: number;
  readonly sequenceCount: number;
}

/** Tokens of a prompt that leaves room for one more; a longer one is refused whatever the policy. */
export function largestPrompt(room: Room): number {
  return Math.min(room.cellCount, trainedWindow(room)) - 1;
}

function trainedWindow({ trainedContextLength }: Room): number {
  return trainedContextLength > 0 ? trainedContextLength : Number.POSITIVE_INFINITY;
}

/**
 * @param promptCount tokens of the prompt, pictures included
 * @param prefixCount tokens of the interference prefix
 * @param askedCount tokens that the language model is asked about each answer of its own
 * @throws UsageError ERR_PROMPT_TOO_LONG when not one new token would fit
 */
export function allot(policy: Policy, room: Room, promptCount: number, prefixCount: number, askedCount = 0): Allotment {
  const plan = planOf(policy);
  const canAlign = plan.gatesImage || plan.gatesAnswer;
  const prefix = canAlign && plan.usesPrefix ? prefixCount : 0;
  const candidateCount = canAlign && plan.usesSearch ? policy.candidateCount : 1;
  const { finishesLast, tokenLimit } = sentenceRule(policy);
  const past = canAlign && plan.usesSearch && finishesLast ? tokenLimit - 1 : 0;
  const window = trainedWindow(room);
  const read = promptCount + prefix;
  const asking = SelfDecision.room(askedCount, canAlign ? candidateCount : 0);
  const fitting = searchRoomTokens(candidateCount, room.cellCount - read - asking.cellCount, tokenLimit);
  const roomTokens = Math.min(policy.maxTokens + past, window - read - askedCount, fitting);
  if (roomTokens < 1) {
    throw new UsageError(
      'ERR_PROMPT_TOO_LONG',
      `request: expected a prompt that leaves room for an answer of ${candidateCount} candidates in ${Math.min(room.cellCount, window)} tokens, ` +
        `received one of ${promptCount} tokens. ${shortening(room)}`,
    );
  }
  return {
    maxTokens: Math.min(policy.maxTokens, roomTokens),
    roomTokens,
    cellCount: read + searchCellCount(candidateCount, roomTokens, tokenLimit) + asking.cellCount,
    // the question, and its answer or its candidates
    sequenceCount: Math.max(2, searchSequenceCount(candidateCount)) + asking.sequenceCount,
  };
}

/** What to do about a prompt that is too long: a larger context helps only where the model was trained for more. */
export function shortening({ cellCount, trainedContextLength: window }: Room): string {
  return window > 0 && window <= cellCount
    ? `Shorten the conversation or show fewer pictures: the model was trained for ${window} tokens.`
    : 'Shorten the conversation or show fewer pictures. Or load with a larger contextSize.';
}
