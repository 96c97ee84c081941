/** Scores held against the thresholds in force. */
import type { Judgement, Thresholds } from '../types.js';
import type { ThresholdsInForce } from './in-force.js';
import { answerIsUnsafe, pictureIsUnsafe } from './methods.js';
import type { Policy } from './policy.js';
import { type AnswerEvaluator, knownThreshold, OF_ANSWERS, OF_PICTURES, type PictureEvaluator } from './thresholds.js';

/** What a request is judged by. Its judgements are frozen: one object goes to whoever listens, and into the result. */
export interface Rules extends ThresholdsInForce {
  readonly policy: Policy;
}

/** @throws ModelError ERR_NO_THRESHOLD */
export function judgePicture(score: number, rules: Rules, evaluator: PictureEvaluator = 'clip'): Judgement {
  const { policy, thresholds, calibratedPrompts } = rules;
  const threshold = knownThreshold(thresholds, OF_PICTURES[evaluator], policy.method);
  const isUnsafe = pictureIsUnsafe(score, threshold);
  const holds =
    evaluator === 'clip'
      ? calibratedPrompts.unsafeClipScore === policy.safetyPrompt
      : typeof calibratedPrompts.unsafeDecision === 'string';
  return Object.freeze({ evaluator, score, threshold, isUnsafe, ...known(rules, OF_PICTURES[evaluator], holds) });
}

/** @throws ModelError ERR_NO_THRESHOLD */
export function judgeAnswer(score: number, rules: Rules, evaluator: AnswerEvaluator = 'reward'): Judgement {
  const { policy, thresholds, calibratedPrompts } = rules;
  const threshold = knownThreshold(thresholds, OF_ANSWERS[evaluator], policy.method);
  const isUnsafe = answerIsUnsafe(score, threshold);
  const holds =
    evaluator === 'reward'
      ? // Answers are calibrated alone, without the conversation before them.
        calibratedPrompts.safeReward === policy.postEvaluationPrompt && policy.rewardContext === 'paper'
      : typeof calibratedPrompts.safeDecision === 'string';
  return Object.freeze({ evaluator, score, threshold, isUnsafe, ...known(rules, OF_ANSWERS[evaluator], holds) });
}

/** What a candidate that is drawn first has to be above, so that no others are drawn. @throws ModelError ERR_NO_THRESHOLD */
export function passingScore(
  { policy, thresholds }: Pick<Rules, 'policy' | 'thresholds'>,
  evaluator: AnswerEvaluator,
): number {
  return policy.acceptAbove ?? knownThreshold(thresholds, OF_ANSWERS[evaluator], policy.method);
}

/** @param holds whether the threshold belongs to the prompts in force */
function known(
  { calibratedOn }: Rules,
  name: keyof Thresholds,
  holds: boolean,
): Pick<Judgement, 'isCalibrated' | 'calibratedOn'> {
  const on = (holds ? calibratedOn[name] : null) ?? null;
  return { isCalibrated: on === 'both', calibratedOn: on };
}
