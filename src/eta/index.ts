/** ETA: evaluate, then align. */
export type { ContextStatistics } from '../engine/index.js';
export { Eta, type EtaFacts, type StreamOptions } from './eta.js';
export { loadEta, openEta } from './load.js';
export type {
  ConversationRequest,
  EtaRequest,
  PicturesRequest,
  QuestionRequest,
  RequestOptions,
} from './request.js';
export { checkCounts } from './request-counts.js';
export { isCut } from './stop-reason.js';
