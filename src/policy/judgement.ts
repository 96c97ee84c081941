/** Scores held against the thresholds in force. */
import type { Thresholds } from '../types/thresholds.js';
import type { Judgement } from '../types/verdict.js';
import type { ThresholdsInForce } from './in-force.js';
import { answerIsUnsafe, isLowAnswerAsked, pictureIsUnsafe } from './methods.js';
import type { Policy } from './policy.js';
import {
  type AnswerEvaluator,
  knownThreshold,
  LOW_OF_ANSWERS,
  OF_ANSWERS,
  OF_PICTURES,
  type PictureEvaluator,
} from './thresholds.js';

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

/**
 * An answer is held against the threshold of the gate that stands before it, whether it is the model's own or made again:
 * else one would be refused that nobody would have asked to make again.
 *
 * @param pictureIsUnsafe what was found of the pictures; null where none is shown, or nobody was asked
 * @throws ModelError ERR_NO_THRESHOLD
 */
export function judgeAnswer(
  score: number,
  rules: Rules,
  evaluator: AnswerEvaluator = 'reward',
  pictureIsUnsafe: boolean | null = null,
): Judgement {
  const { policy, thresholds, calibratedPrompts } = rules;
  const name = (isLowAnswerAsked(policy, pictureIsUnsafe) ? LOW_OF_ANSWERS : OF_ANSWERS)[evaluator];
  const threshold = knownThreshold(thresholds, name, policy.method);
  const isUnsafe = answerIsUnsafe(score, threshold);
  const holds =
    evaluator === 'reward'
      ? // Answers are calibrated alone, without the conversation before them.
        calibratedPrompts[name] === policy.postEvaluationPrompt && policy.rewardContext === 'paper'
      : typeof calibratedPrompts[name] === 'string';
  return Object.freeze({ evaluator, score, threshold, isUnsafe, ...known(rules, name, holds) });
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
