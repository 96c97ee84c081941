/** eta-vlm: local vision-language models that answer safely. The engine alone is `eta-vlm/engine`. */
export {
  AbortError,
  EngineError,
  EtaError,
  type EtaErrorCode,
  EvaluatorError,
  FileError,
  HubError,
  ImageError,
  JudgeError,
  ModelError,
  ServerError,
  UsageError,
} from './errors.js';
export {
  type AskedDecision,
  type ChoiceDecision,
  type ChoiceQuestion,
  type ContextStatistics,
  type ConversationRequest,
  type DecideAbout,
  type DecideConversation,
  type DecideOptions,
  type DecideQuestion,
  type DecideRequest,
  type DecideResult,
  Eta,
  type EtaFacts,
  type EtaRequest,
  type EvaluateConversation,
  type EvaluateOptions,
  type EvaluateQuestion,
  type EvaluateRequest,
  type EvaluateResult,
  isCut,
  loadEta,
  type PicturesRequest,
  type PredicateDecision,
  type PredicateQuestion,
  type QuestionRequest,
  type RequestOptions,
  type ScoreDecision,
  type ScoreQuestion,
  type StreamOptions,
} from './eta/index.js';
export { type DecodeImageOptions, decodeImage } from './image/index.js';
export type {
  DecisionChoice,
  DecisionFacts,
  EvaluatorDevice,
  EvaluatorDevices,
  HashCheck,
  LoadEtaOptions,
  LoadProgress,
  ReceivedBytes,
  SafetyVectorChoice,
  SafetyVectorFacts,
} from './loading/index.js';
export type {
  ModelChoice,
  ModelPaths,
  PublishedClipScore,
  PublishedFacts,
  PublishedGuard,
  ResolvedModels,
} from './models/index.js';
export type {
  CalibratedClasses,
  CalibratedPrompts,
  DecisionOptions,
  EvaluatorsInForce,
  GivenThresholds,
  Policy,
  ThresholdsInForce,
} from './policy/index.js';
export type {
  AnswerEvent,
  DoneEvent,
  EtaEvent,
  PictureEvent,
  RoundEvent,
  RungEvent,
  SentenceEvent,
  TextEvent,
  VanillaEvent,
  VerdictEvent,
} from './types/events.js';
export type { Notice } from './types/notice.js';
export type { ImageSource, PictureForm, RgbImage } from './types/picture.js';
export type { Gate, Method, PolicyName, Release, Rung } from './types/policy.js';
export type { EtaResult, Timings, Usage } from './types/result.js';
export type { StopReason } from './types/stop-reason.js';
export type { CalibratedOn, ThresholdSources, Thresholds } from './types/thresholds.js';
export type { CandidateTrace, RoundTrace, RungTrace, SentenceTrace, Trace } from './types/trace.js';
export type { Turn } from './types/turn.js';
export type { Action, EvaluatorName, Judgement, RungVerdict, Verdict } from './types/verdict.js';
