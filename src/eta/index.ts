/** ETA: evaluate, then align. */
export { deriveSeed, deriveSeedOver } from '../engine/index.js';
export {
  BEST_OF_N_PROMPT,
  INTERFERENCE_PREFIX,
  POLICIES,
  POST_EVALUATION_PROMPT,
  type Policy,
  PRESETS,
  type Preset,
  REFUSAL_TEXT,
  SAFETY_PROMPT,
} from './defaults.js';
export { Eta, type EtaFacts, loadEta } from './eta.js';
export type { LoadEtaOptions, LoadProgress } from './load-options.js';
export { answerIsUnsafe, imageIsUnsafe, METHODS, type ThresholdSources, type Thresholds } from './methods.js';
export type { Notice } from './notice.js';
export type { EtaRequest } from './request.js';
export { checkCounts } from './request-counts.js';
export { isCut } from './stop-reason.js';
