/** What `evaluate` takes and gives. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { UsageError } from '../errors.js';
import { parseOptions } from '../options.js';
import {
  type AnswerEvaluator,
  checkAskedThresholds,
  type DecisionOptions,
  type EvaluatorsInForce,
  overridePolicy,
  overrideThresholds,
  type PictureEvaluator,
  policyFields,
} from '../policy/index.js';
import type { ImageSource } from '../types/picture.js';
import type { Gate } from '../types/policy.js';
import type { Timings, Usage } from '../types/result.js';
import type { Turn } from '../types/turn.js';
import type { Judgement } from '../types/verdict.js';
import type { RequestDefaults } from './request.js';
import { checkCounts } from './request-counts.js';
import { turnFields, turnsOf } from './request-turns.js';
import { sharingFields, sharingOf } from './sharing.js';

/** What every evaluation may say beside what is judged. */
export interface EvaluateOptions
  extends Pick<DecisionOptions, 'thresholds' | 'safetyPrompt' | 'postEvaluationPrompt' | 'rewardContext'> {
  /**
   * As a request's; here it says which threshold an answer is held against: behind `lowAnswerOrBoth` the low one, unless a
   * picture beside it looks unsafe, behind every other the same. @default the Eta's, else 'both'
   */
  gate?: Gate | undefined;
  /** The answer to judge; not empty. @default none: the pictures alone are judged */
  answer?: string | undefined;
  /**
   * Whether it may start from what earlier requests left, and leave what it read. @default the Eta's, true unless it was
   * loaded otherwise
   */
  reuse?: boolean | undefined;
  /**
   * Whether it runs alone and takes nothing that others left, so that what comes of it depends on nothing else that is
   * asked: `LoadEtaOptions`. Others wait meanwhile. @default the Eta's, false unless it was loaded otherwise
   */
  exact?: boolean | undefined;
  /** Ends it with an AbortError, within one step of the model or one run of an evaluator. */
  signal?: AbortSignal | undefined;
}

/** Pictures, an answer, or both, with the question if there is one. */
export interface EvaluateQuestion extends EvaluateOptions {
  /**
   * The question. CLIP and the reward model do not read it; a decision, and `rewardContext: 'conversation'`, judge an answer
   * by it and need it. @default none
   */
  prompt?: string | undefined;
  /** The picture to judge. @default none */
  image?: ImageSource | undefined;
  /** Several, at most 1,024; the least safe of them counts. Not beside `image`. @default none */
  images?: readonly ImageSource[] | undefined;
  /** Not beside the others: see {@link EvaluateConversation}. */
  turns?: undefined;
}

/** A conversation, and the answer to its last turn. */
export interface EvaluateConversation extends EvaluateOptions {
  /** As {@link ConversationRequest} has them; its pictures are judged together. */
  turns: readonly Turn[];
  /** Not beside `turns`. */
  prompt?: undefined;
  /** Not beside `turns`. */
  image?: undefined;
  /** Not beside `turns`. */
  images?: undefined;
}

/** What `evaluate` takes: at least a picture or an answer. */
export type EvaluateRequest = EvaluateQuestion | EvaluateConversation;

/** What the evaluators say. */
export interface EvaluateResult {
  /** Of the pictures together; null without one. */
  readonly picture: Judgement | null;
  /** Of the answer; null without one. */
  readonly answer: Judgement | null;
  /**
   * What it took, in tokens. Prompt tokens are those that the language model read, where it judges itself, and 0 otherwise;
   * nothing is sampled.
   */
  readonly usage: Usage;
  /** What it took, in milliseconds. */
  readonly timings: Timings;
}

const { thresholds, gate, safetyPrompt, postEvaluationPrompt, rewardContext } = policyFields;
const evaluateSchema = z.strictObject(
  {
    ...turnFields,
    answer: z.string('expected a text').optional(),
    thresholds,
    gate,
    safetyPrompt,
    postEvaluationPrompt,
    rewardContext,
    ...sharingFields,
    signal: signalSchema.optional(),
  },
  'expected { image, prompt, answer } or { turns, answer }',
);

/** An evaluation that can be run. */
export interface CheckedEvaluation extends Omit<RequestDefaults, 'newSeed'> {
  readonly turns: readonly Turn[];
  /** Null where none is judged. */
  readonly answer: string | null;
  readonly signal: AbortSignal | undefined;
}

/**
 * @throws UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION, ERR_PROMPT_TOO_LONG; ERR_INVALID_REQUEST too for what nobody
 * that was loaded can judge; ModelError ERR_NO_THRESHOLD
 */
export function parseEvaluation(
  request: EvaluateRequest,
  defaults: Omit<RequestDefaults, 'newSeed'> & { readonly evaluators: EvaluatorsInForce },
): CheckedEvaluation {
  checkCounts(request);
  const parsed = parseOptions(evaluateSchema, request, 'request');
  const turns = turnsOf(parsed, { mayBeSilent: true });
  const { answer = null, signal } = parsed;
  const policy = overridePolicy({ ...defaults.policy, method: 'eta' }, parsed, 'request'); // messages name it
  const inForce = overrideThresholds(defaults, parsed.thresholds, 'request');
  const hasImages = turns.some(({ images = [] }) => images.length > 0);
  if (answer?.trim() === '')
    throw invalid('answer: expected an answer to judge, received none. Leave it out, or give one.');
  if (!hasImages && answer === null) throw invalid('expected a picture or an answer to judge, received neither.');
  const asked = askedOf(defaults.evaluators, { hasImages, hasAnswer: answer !== null });
  const isSilent = turns.every(({ text }) => text.trim() === '');
  if (isSilent && answer !== null && (asked.answers === 'decision' || policy.rewardContext === 'conversation'))
    throw invalid('prompt: expected the question beside the answer, which is judged by both, received none.');
  checkAskedThresholds(inForce.thresholds, asked, policy);
  return { turns, answer, policy, ...inForce, ...sharingOf(parsed, defaults), signal };
}

/** Who is asked. @throws UsageError ERR_INVALID_REQUEST where nobody can be */
function askedOf(
  { pictures, answers }: EvaluatorsInForce,
  { hasImages, hasAnswer }: { readonly hasImages: boolean; readonly hasAnswer: boolean },
): { readonly pictures: PictureEvaluator | null; readonly answers: AnswerEvaluator | null } {
  if (hasImages && pictures === null)
    throw invalid(
      'expected an answer alone, because nobody who judges pictures was loaded, received pictures. Load with models.clip.',
    );
  if (hasAnswer && answers === null)
    throw invalid(
      'expected pictures alone, because nobody who judges answers was loaded, received an answer. Load with models.rewardModel. Or with a decision.',
    );
  return { pictures: hasImages ? pictures : null, answers: hasAnswer ? answers : null };
}

function invalid(message: string): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `request: ${message}`);
}
