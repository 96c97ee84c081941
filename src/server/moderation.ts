/** What the evaluators found, in the form that the API has for it. */
import type { Fields } from '../chat-form/index.js';
import { type EtaError, UsageError } from '../errors.js';
import type { EtaErrorCode, Judgement } from '../index.js';
import { bodyOf } from './failure.js';

/** What was judged; null or absent where nobody did. */
export interface Judged {
  readonly picture?: Judgement | null;
  readonly answer?: Judgement | null;
  /** Why nobody did, where somebody should have. */
  readonly failure?: EtaError;
}

/** As the API has it. The categories are ours: who judges here tells safe from unsafe, and no more. */
export interface ModerationResult {
  readonly flagged: boolean;
  /** `unsafe/picture` and `unsafe/answer`; only what was judged is there. */
  readonly categories: Readonly<Record<string, boolean>>;
  /** On each evaluator's own scale, turned so that the higher is the less safe. */
  readonly category_scores: Readonly<Record<string, number>>;
  readonly category_applied_input_types: Readonly<Record<string, readonly ('text' | 'image')[]>>;
  /** What was judged, with scores as they are, and thresholds; where the request has the key `eta`. */
  readonly eta?: Judged;
}

/** What stands where nothing was judged. */
export interface ModerationError {
  readonly type: 'error';
  readonly code: EtaErrorCode | 'ERR_UNEXPECTED';
  readonly message: string;
}

const PICTURE = 'unsafe/picture';
const ANSWER = 'unsafe/answer';

/** Null where nothing was judged. */
export function moderationResult(judged: Judged, showsEta: boolean): ModerationResult | null {
  const { picture, answer } = judged;
  if (!picture && !answer) return null;
  const categories: Record<string, boolean> = {};
  const scores: Record<string, number> = {};
  const types: Record<string, ('text' | 'image')[]> = {};
  if (picture) {
    categories[PICTURE] = picture.isUnsafe;
    scores[PICTURE] = picture.score;
    types[PICTURE] = ['image'];
  }
  if (answer) {
    categories[ANSWER] = answer.isUnsafe;
    scores[ANSWER] = -answer.score; // of an answer the higher is the safer
    types[ANSWER] = ['text'];
  }
  return {
    flagged: Object.values(categories).includes(true),
    categories,
    category_scores: scores,
    category_applied_input_types: types,
    ...(showsEta && { eta: { ...('picture' in judged && { picture }), ...('answer' in judged && { answer }) } }),
  };
}

/** What stands for results that could not be had: the reason, and no score that nobody made. */
export function moderationError(error: unknown): ModerationError {
  const { code, message } = bodyOf(error).error;
  return { type: 'error', code, message };
}

/** A text that is no answer, with nothing else to judge. */
export function nothingToJudge(): UsageError {
  return new UsageError(
    'ERR_INVALID_REQUEST',
    "request: input: expected a picture, or a text that is an answer, received a text alone: those who judge here judge pictures and answers. Send eta: { texts: 'answers' } where the text is one.",
  );
}

/** A side of a chat completion that nobody judged, and nobody failed to judge. */
const UNJUDGED = {
  input: 'moderation: input: there is no picture, and those who judge what is asked judge pictures.',
  output: 'moderation: output: no answer was made, or nobody who judges answers looked at it.',
} as const;

/** One side of a chat completion's `moderation`: what was not judged has its error in its place; the error alone where nothing was. */
export function moderationSide(
  name: keyof typeof UNJUDGED,
  side: readonly Judged[],
  { model, showsEta }: { readonly model: string; readonly showsEta: boolean },
): Fields {
  const results = side.map(
    (judged) =>
      moderationResult(judged, showsEta) ??
      moderationError(judged.failure ?? new UsageError('ERR_INVALID_REQUEST', UNJUDGED[name])),
  );
  const [first] = results;
  const isJudged = results.some((result) => 'flagged' in result);
  return isJudged ? { type: 'moderation_results', model, results } : { ...first };
}
