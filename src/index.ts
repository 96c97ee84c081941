/** eta-vlm: local vision-language models that answer safely. The engine alone is `eta-vlm/engine`. */
export {
  AbortError,
  EngineError,
  EtaError,
  type EtaErrorCode,
  EvaluatorError,
  FileError,
  ImageError,
  JudgeError,
  ModelError,
  UsageError,
} from './errors.js';
export { Eta, type EtaFacts, type EtaRequest, isCut, loadEta } from './eta/index.js';
export { type DecodeImageOptions, decodeImage } from './image/index.js';
export type { LoadEtaOptions, LoadProgress } from './loading/index.js';
export type { ModelChoice, ModelPaths, ResolvedModels } from './models/index.js';
export type { Policy, ThresholdSources, Thresholds, ThresholdsInForce } from './policy/index.js';
export type {
  Action,
  CandidateTrace,
  EtaEvent,
  EtaResult,
  EvaluatorName,
  ImageSource,
  Judgement,
  Method,
  Notice,
  PolicyName,
  RgbImage,
  RoundTrace,
  StopReason,
  Timings,
  Trace,
  Turn,
  Usage,
  Verdict,
} from './types.js';
