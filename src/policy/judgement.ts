/** Scores held against the thresholds in force. */
import type { Judgement } from '../types.js';
import type { ThresholdsInForce } from './in-force.js';
import { answerIsUnsafe, pictureIsUnsafe } from './methods.js';
import type { Policy } from './policy.js';
import { knownThreshold } from './thresholds.js';

/** What a request is judged by. Its judgements are frozen: one object goes to whoever listens, and into the result. */
export interface Rules extends ThresholdsInForce {
  readonly policy: Policy;
}

/** @throws ModelError ERR_NO_THRESHOLD */
export function judgePicture(score: number, { policy, thresholds, calibratedPrompts }: Rules): Judgement {
  const threshold = knownThreshold(thresholds, 'unsafeClipScore', policy.method);
  return Object.freeze({
    evaluator: 'clip',
    score,
    threshold,
    isUnsafe: pictureIsUnsafe(score, threshold),
    isCalibrated: calibratedPrompts.unsafeClipScore === policy.safetyPrompt,
  });
}

/** @throws ModelError ERR_NO_THRESHOLD */
export function judgeAnswer(score: number, { policy, thresholds, calibratedPrompts }: Rules): Judgement {
  const threshold = knownThreshold(thresholds, 'safeReward', policy.method);
  return Object.freeze({
    evaluator: 'reward',
    score,
    threshold,
    isUnsafe: answerIsUnsafe(score, threshold),
    // Answers are calibrated alone, without the conversation before them.
    isCalibrated: calibratedPrompts.safeReward === policy.postEvaluationPrompt && policy.rewardContext === 'paper',
  });
}
