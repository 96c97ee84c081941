/** eta-vlm: local vision-language models that answer safely. The engine alone is `eta-vlm/engine`. */
export {
  AbortError,
  EngineError,
  EtaError,
  type EtaErrorCode,
  EvaluatorError,
  ImageError,
  ModelError,
  UsageError,
} from './errors.js';
export {
  Eta,
  type EtaFacts,
  type EtaRequest,
  type LoadEtaOptions,
  type LoadProgress,
  loadEta,
  type Notice,
  type Policy,
  type Preset,
  type ThresholdSources,
  type Thresholds,
} from './eta/index.js';
export { type DecodeImageOptions, decodeImage } from './image.js';
export type { ModelChoice, ModelPaths, ResolvedModels } from './models/index.js';
export type {
  Action,
  CandidateTrace,
  EtaEvent,
  EtaResult,
  ImageSource,
  Method,
  RgbImage,
  RoundTrace,
  StopReason,
  Timings,
  Trace,
  Turn,
  Usage,
  Verdict,
} from './types.js';
