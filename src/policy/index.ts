/** How to decide: the policies, the methods, the thresholds. */
export {
  type CalibratedClasses,
  type CalibratedPrompts,
  type GivenThresholds,
  overrideThresholds,
  type ThresholdsInForce,
} from './in-force.js';
export { judgeAnswer, judgePicture, passingScore } from './judgement.js';
export {
  draws,
  GATES,
  METHOD_PLANS,
  METHODS,
  type MethodPlan,
  type Planned,
  planFor,
  planOf,
  RUNGS,
  rungsOf,
  takesGate,
} from './methods.js';
export { overridePolicy } from './override-policy.js';
export {
  BEST_OF_N_PROMPT,
  CAPTION_TOKEN_LIMIT,
  POLICIES,
  POLICY_NAMES,
  POST_EVALUATION_PROMPT,
  type Policy,
  REFUSAL_TEXT,
  SAFETY_PROMPT,
} from './policy.js';
export { type DecisionOptions, policyFields } from './policy-options.js';
export { checkSteering } from './steering.js';
export {
  type AnswerEvaluator,
  checkAskedThresholds,
  checkGivenThresholds,
  checkThresholds,
  type EvaluatorsInForce,
  evaluatorsAmong,
  knownThreshold,
  LOW_OF_ANSWERS,
  type PictureEvaluator,
} from './thresholds.js';
