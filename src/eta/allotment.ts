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

/** Tokens that a request reads, sampled ones apart. */
export interface Read {
  /** Of the prompt, pictures included. */
  readonly promptCount: number;
  /** Of the interference prefix. */
  readonly prefixCount: number;
  /** That the language model is asked about each answer of its own. @default 0 */
  readonly askedCount?: number;
  /** Of the prompt with the principle, behind what both begin with; null where none is read. @default null */
  readonly principledCount?: number | null;
}

/** @throws UsageError ERR_PROMPT_TOO_LONG when not one new token would fit */
export function allot(
  policy: Policy,
  room: Room,
  { promptCount, prefixCount, askedCount = 0, principledCount = null }: Read,
): Allotment {
  const plan = planOf(policy);
  const canAlign = plan.gatesImage || plan.gatesAnswer;
  const prefix = canAlign && plan.usesPrefix ? prefixCount : 0;
  const candidateCount = canAlign && plan.usesSearch ? policy.candidateCount : 1;
  const { finishesLast, tokenLimit } = sentenceRule(policy);
  const past = canAlign && plan.usesSearch && finishesLast ? tokenLimit - 1 : 0;
  const window = trainedWindow(room);
  const read = promptCount + prefix;
  const asking = SelfDecision.room(askedCount, canAlign ? candidateCount : 0);
  const freeCount = room.cellCount - read - asking.cellCount - (principledCount ?? 0);
  const fitting = searchRoomTokens(candidateCount, freeCount, tokenLimit);
  // The model's own answer stands twice then.
  const twice = principledCount === null ? fitting : Math.min(fitting, Math.floor(freeCount / 2));
  const beyond = Math.max(askedCount, principledCount ?? 0);
  const roomTokens = Math.min(policy.maxTokens + past, window - read - beyond, twice);
  if (roomTokens < 1) {
    throw new UsageError(
      'ERR_PROMPT_TOO_LONG',
      `request: expected a prompt that leaves room for an answer of ${candidateCount} candidates in ${Math.min(room.cellCount, window)} tokens, ` +
        `received one of ${promptCount} tokens. ${shortening(room)}`,
    );
  }
  const maxTokens = Math.min(policy.maxTokens, roomTokens);
  const searched = searchCellCount(candidateCount, roomTokens, tokenLimit);
  const ownAnswer = principledCount === null ? 0 : 2 * maxTokens;
  // The question, and its answer or its candidates; with the principle, the answer and its other.
  const sequenceCount = Math.max(principledCount === null ? 2 : 3, searchSequenceCount(candidateCount));
  return {
    maxTokens,
    roomTokens,
    cellCount: read + (principledCount ?? 0) + Math.max(searched, ownAnswer) + asking.cellCount,
    sequenceCount: sequenceCount + asking.sequenceCount,
  };
}

/** What to do about a prompt that is too long: a larger context helps only where the model was trained for more. */
export function shortening({ cellCount, trainedContextLength: window }: Room): string {
  return window > 0 && window <= cellCount
    ? `Shorten the conversation or show fewer pictures: the model was trained for ${window} tokens.`
    : 'Shorten the conversation or show fewer pictures. Or load with a larger contextSize.';
}
