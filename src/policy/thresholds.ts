/** Whether the thresholds that a method decides by are known. */
import { ModelError, UsageError } from '../errors.js';
import type { Thresholds } from '../types/thresholds.js';
import type { GivenThresholds } from './in-force.js';
import { type Planned, planOf } from './methods.js';
import type { Policy } from './policy.js';

/** Who may judge pictures, and the threshold of each. */
export const OF_PICTURES = { clip: 'unsafeClipScore', decision: 'unsafeDecision' } as const;
/** Who may judge answers, and the threshold of each. */
export const OF_ANSWERS = { reward: 'safeReward', decision: 'safeDecision' } as const;
/** The low one of each. */
export const LOW_OF_ANSWERS = { reward: 'lowReward', decision: 'lowDecision' } as const;

export type PictureEvaluator = keyof typeof OF_PICTURES;
export type AnswerEvaluator = keyof typeof OF_ANSWERS;

/** Who judges in an Eta; null where nobody does. */
export interface EvaluatorsInForce {
  /** Pictures: CLIP, or the decision where there is no CLIP and the guard sees pictures. */
  readonly pictures: PictureEvaluator | null;
  /** Answers: the decision where one is named, else the reward model. */
  readonly answers: AnswerEvaluator | null;
}

/**
 * Who judges, where these are there: a decision goes before the reward model, CLIP before a decision.
 *
 * @param there `decision`: whether one is named, and sees pictures
 */
export function evaluatorsAmong(there: {
  readonly clip: boolean;
  readonly rewardModel: boolean;
  readonly decision: { readonly seesPictures: boolean } | null;
}): EvaluatorsInForce {
  const { clip, rewardModel, decision } = there;
  return {
    pictures: clip ? 'clip' : decision?.seesPictures ? 'decision' : null,
    answers: decision !== null ? 'decision' : rewardModel ? 'reward' : null,
  };
}

/** How each is named in words, and found. Safe ones alone are enough; unsafe ones beside them make it better known. */
const CALIBRATED = {
  unsafeClipScore: { model: 'CLIP model', flags: '--safe DIR' },
  safeReward: { model: 'reward model', flags: '--safe-answers FILE' },
} as const;

/**
 * A threshold to compare with. Scores of another model are on another scale, so no default can stand in for one that
 * nobody knows.
 *
 * @throws ModelError ERR_NO_THRESHOLD
 */
export function knownThreshold(thresholds: Thresholds, name: keyof Thresholds, method: Policy['method']): number {
  const threshold = thresholds[name];
  if (typeof threshold === 'number') return threshold;
  const give = `give thresholds.${name}.`;
  if (name === 'lowReward' || name === 'lowDecision') {
    const whose = name === 'lowReward' ? 'reward model' : 'decision';
    throw new ModelError(
      'ERR_NO_THRESHOLD',
      `Expected a low threshold of the ${whose} for gate 'lowAnswerOrBoth', received none: nobody has looked for one. ` +
        `Find it with 'eta-vlm calibrate --safe-answers FILE --unsafe-answers FILE', and name the file in thresholdsFile. Or ${give}`,
    );
  }
  if (name === 'unsafeDecision' || name === 'safeDecision') {
    throw new ModelError(
      'ERR_NO_THRESHOLD',
      `Expected a threshold of the decision for method '${method}', received none. Take a form that has one. Or ${give}`,
    );
  }
  const { model, flags } = CALIBRATED[name];
  throw new ModelError(
    'ERR_NO_THRESHOLD',
    `Expected a threshold of the ${model} for method '${method}', received a model without one: it was never calibrated, and no default is known for it. ` +
      `Find it with 'eta-vlm calibrate ${flags}', where safe ones alone are enough, and name the file in thresholdsFile. Or ${give}`,
  );
}

/**
 * Refuses a method, or a gate before it, that decides by a threshold that nobody knows.
 *
 * @param options.policy of it what says who is asked
 * @param options.hasImages whether pictures may be judged
 * @param options.evaluators who judges them, and answers. @default CLIP and the reward model
 * @throws ModelError ERR_NO_THRESHOLD; UsageError ERR_INVALID_OPTION for a low threshold above the other
 */
export function checkThresholds(
  thresholds: Thresholds,
  options: {
    readonly policy: Planned;
    readonly hasImages: boolean;
    readonly evaluators?: EvaluatorsInForce | undefined;
  },
): void {
  const { policy, hasImages, evaluators } = options;
  const { gatesImage, gatesAnswer } = planOf(policy);
  const pictures = gatesImage && hasImages ? (evaluators?.pictures ?? 'clip') : null;
  // An aligned answer is judged too, whoever asked for it.
  const answers = gatesImage || gatesAnswer ? (evaluators?.answers ?? 'reward') : null;
  checkAskedThresholds(thresholds, { pictures, answers }, policy);
}

/** An answer that passes beside a picture that is distrusted must pass beside one that is not. */
function checkLowThreshold(thresholds: Thresholds, answers: AnswerEvaluator, method: Policy['method']): void {
  const [low, high] = [LOW_OF_ANSWERS[answers], OF_ANSWERS[answers]];
  const [least, most] = [knownThreshold(thresholds, low, method), knownThreshold(thresholds, high, method)];
  if (least <= most) return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `thresholds: expected ${low} to be at most ${high}, ${most}, received ${least}. Lower it, or take the gate 'answer'.`,
  );
}

/**
 * Refuses whoever is asked without a threshold, the low one too where the gate has one; null for who is not.
 *
 * @throws as {@link checkThresholds}
 */
export function checkAskedThresholds(
  thresholds: Thresholds,
  { pictures, answers }: EvaluatorsInForce,
  policy: Planned,
): void {
  const { method } = policy;
  if (pictures !== null) knownThreshold(thresholds, OF_PICTURES[pictures], method);
  if (answers === null) return;
  knownThreshold(thresholds, OF_ANSWERS[answers], method);
  if (planOf(policy).gate === 'lowAnswerOrBoth') checkLowThreshold(thresholds, answers, method);
}

/**
 * Refuses a threshold of who does not judge here, because somebody else does: it would change nothing, and whoever gave it
 * would not know.
 *
 * @throws UsageError ERR_INVALID_OPTION
 */
export function checkGivenThresholds(
  given: GivenThresholds | undefined,
  { pictures, answers }: EvaluatorsInForce,
): void {
  const check = (what: string, inForce: keyof Thresholds, other: keyof Thresholds) => {
    if (given?.[other] === undefined) return;
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `thresholds: expected ${inForce} for ${what}, received ${other}, the threshold of who does not judge them here. Leave it out.`,
    );
  };
  if (answers === 'decision') check('answers', 'safeDecision', 'safeReward');
  if (answers === 'decision') check('answers', 'lowDecision', 'lowReward');
  if (answers === 'reward') check('answers', 'safeReward', 'safeDecision');
  if (answers === 'reward') check('answers', 'lowReward', 'lowDecision');
  if (pictures === 'decision') check('pictures', 'unsafeDecision', 'unsafeClipScore');
  if (pictures === 'clip') check('pictures', 'unsafeClipScore', 'unsafeDecision');
}
