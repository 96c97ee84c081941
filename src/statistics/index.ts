/** Figures with their intervals: one implementation for benchmarks, calibration, experiments and the model card. */
export { kappa } from './agreement.js';
export { auc, aucEstimate, aucScoreEstimate, countBelow } from './auc.js';
export { bootstrap, bootstrapOfTwo } from './bootstrap.js';
export { checkFinite, type Estimate } from './estimate.js';
export { type McNemar, mcnemar, type PairedCounts, pairedCounts, pairedDifference } from './paired.js';
export { rate, rateOfCounts } from './rate.js';
export { groupBy, mean, median, quantile } from './summary.js';
