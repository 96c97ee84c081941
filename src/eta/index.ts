/** ETA: evaluate, then align. */
export type { ContextStatistics } from '../engine/index.js';
export type {
  AskedDecision,
  ChoiceDecision,
  ChoiceQuestion,
  DecideAbout,
  DecideConversation,
  DecideOptions,
  DecideQuestion,
  DecideRequest,
  DecideResult,
  PredicateDecision,
  PredicateQuestion,
  ScoreDecision,
  ScoreQuestion,
} from './decide-request.js';
export { questionsSchema } from './decide-request.js';
export { Eta, type StreamOptions } from './eta.js';
export type {
  EvaluateConversation,
  EvaluateOptions,
  EvaluateQuestion,
  EvaluateRequest,
  EvaluateResult,
} from './evaluate-request.js';
export type { EtaFacts } from './facts.js';
export { loadEta, openEta } from './load.js';
export { noticeOf } from './notice.js';
export type {
  ConversationRequest,
  EtaRequest,
  PicturesRequest,
  QuestionRequest,
  RequestOptions,
} from './request.js';
export { checkCounts } from './request-counts.js';
export { isCut } from './stop-reason.js';
