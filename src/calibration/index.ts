/** Calibration: thresholds from one's own pictures and answers. */
export { type Calibrated, type CalibrateOptions, type Calibration, calibrate } from './calibrate.js';
export { type CutRule, ruleText } from './cut.js';
export type { CutRates } from './fit.js';
export { calibrationReport } from './report.js';
export { thresholdsFile } from './thresholds.js';
