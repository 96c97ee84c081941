/** ETA: evaluate, then align. */
export { Eta, type EtaFacts, loadEta } from './eta.js';
export type { EtaRequest } from './request.js';
export { checkCounts } from './request-counts.js';
export { isCut } from './stop-reason.js';
