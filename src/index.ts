/** eta-vlm: local vision-language models that answer safely. The engine alone is `eta-vlm/engine`. */
export type { NativeContextStatistics } from './engine/index.js';
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
export {
  type ConversationRequest,
  Eta,
  type EtaFacts,
  type EtaRequest,
  isCut,
  loadEta,
  type PicturesRequest,
  type QuestionRequest,
  type RequestOptions,
  type StreamOptions,
} from './eta/index.js';
export { type DecodeImageOptions, decodeImage } from './image/index.js';
export type { LoadEtaOptions, LoadProgress } from './loading/index.js';
export type { ModelChoice, ModelPaths, ResolvedModels } from './models/index.js';
export type {
  CalibratedPrompts,
  DecisionOptions,
  GivenThresholds,
  Policy,
  ThresholdsInForce,
} from './policy/index.js';
export type {
  Action,
  AnswerEvent,
  CandidateTrace,
  DoneEvent,
  EtaEvent,
  EtaResult,
  EvaluatorName,
  ImageSource,
  Judgement,
  Method,
  Notice,
  PictureEvent,
  PolicyName,
  RgbImage,
  RoundEvent,
  RoundTrace,
  StopReason,
  TextEvent,
  ThresholdSources,
  Thresholds,
  Timings,
  Trace,
  Turn,
  Usage,
  VanillaEvent,
  Verdict,
  VerdictEvent,
} from './types.js';
