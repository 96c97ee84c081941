/** How to decide: the policies, the methods, the thresholds. */
export {
  answerIsUnsafe,
  imageIsUnsafe,
  METHOD_PLANS,
  METHODS,
  type ThresholdSources,
  type Thresholds,
} from './methods.js';
export {
  BEST_OF_N_PROMPT,
  POLICIES,
  POST_EVALUATION_PROMPT,
  type Policy,
  PRESETS,
  type Preset,
  REFUSAL_TEXT,
  SAFETY_PROMPT,
} from './policy.js';
export { overridePolicy, overrideSources, overrideThresholds, policyFields } from './policy-options.js';
export { checkThresholds, knownThreshold, thresholdsOf } from './thresholds.js';
