/** Scores held against the thresholds in force. */
import type { Judgement } from '../types.js';
import type { ThresholdsInForce } from './in-force.js';
import { answerIsUnsafe, pictureIsUnsafe } from './methods.js';
import type { Policy } from './policy.js';
import { type AnswerEvaluator, knownThreshold, OF_ANSWERS, OF_PICTURES, type PictureEvaluator } from './thresholds.js';

/** What a request is judged by. Its judgements are frozen: one object goes to whoever listens, and into the result. */
export interface Rules extends ThresholdsInForce {
  readonly policy: Policy;
}

/** @throws ModelError ERR_NO_THRESHOLD */
export function judgePicture(
  score: number,
  { policy, thresholds, calibratedPrompts }: Rules,
  evaluator: PictureEvaluator = 'clip',
): Judgement {
  const threshold = knownThreshold(thresholds, OF_PICTURES[evaluator], policy.method);
  return Object.freeze({
    evaluator,
    score,
    threshold,
    isUnsafe: pictureIsUnsafe(score, threshold),
    isCalibrated:
      evaluator === 'clip'
        ? calibratedPrompts.unsafeClipScore === policy.safetyPrompt
        : typeof calibratedPrompts.unsafeDecision === 'string',
  });
}

/** @throws ModelError ERR_NO_THRESHOLD */
export function judgeAnswer(
  score: number,
  { policy, thresholds, calibratedPrompts }: Rules,
  evaluator: AnswerEvaluator = 'reward',
): Judgement {
  const threshold = knownThreshold(thresholds, OF_ANSWERS[evaluator], policy.method);
  return Object.freeze({
    evaluator,
    score,
    threshold,
    isUnsafe: answerIsUnsafe(score, threshold),
    isCalibrated:
      evaluator === 'reward'
        ? // Answers are calibrated alone, without the conversation before them.
          calibratedPrompts.safeReward === policy.postEvaluationPrompt && policy.rewardContext === 'paper'
        : typeof calibratedPrompts.safeDecision === 'string',
  });
}
