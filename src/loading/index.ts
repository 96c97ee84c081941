/** From files to loaded parts: whether they fit into memory, and taking all back when one fails. */
export type { EvaluatorDevice } from '../onnx/index.js';
export type { HashCheck } from '../verified/index.js';
export {
  type DecisionChoice,
  type DecisionFacts,
  decisionFacts,
  decisionNotices,
  evaluatorsOf,
  type ResolvedDecision,
  resolveDecision,
} from './decision.js';
export { withDecision } from './decision-thresholds.js';
export { downloadModels } from './download.js';
export type { EvaluatorDevices, FirstRequest } from './evaluator-parts.js';
export { type EvaluatorPlace, EvaluatorPlacement } from './evaluator-placement.js';
export { FileMarks } from './file-marks.js';
export { type LoadedParts, loadParts } from './load.js';
export { type LoadEtaOptions, type LoadProgress, loadSchema, type ReceivedBytes } from './load-options.js';
export { fitMemory, gpuLayersThatFit, type MemoryFit, thisMachine } from './memory-fit.js';
export { checkEvaluators, missingEvaluator } from './needed-evaluators.js';
export { openGuard } from './open-guard.js';
export { openTrunk } from './open-trunk.js';
export { carryOut, type PreparedPull, preparePull, termsOf } from './pull.js';
export {
  resolveVector,
  type SafetyVectorChoice,
  type SafetyVectorFacts,
  vectorFacts,
  vectorText,
} from './safety-vector.js';
export { thresholdsOf } from './thresholds.js';
